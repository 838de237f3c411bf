// SVG of our own to pixels, by libvips in the calling thread.
//
// libvips takes no SVG from data (StartVips), so that our own is read only while there is an
// SvgAllowed. One thread makes and ends those, one at a time; meanwhile any thread may rasterise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

class SvgAllowed {
 public:
  SvgAllowed();
  ~SvgAllowed();
  SvgAllowed(const SvgAllowed&) = delete;
  SvgAllowed& operator=(const SvgAllowed&) = delete;
};

// [height, width, 3] in sRGB, as the SVG gives its size in pixels, on black. Throws Error(kData)
// where this libvips reads no SVG.
std::vector<std::uint8_t> Rasterised(const std::string& svg);

}  // namespace weir
