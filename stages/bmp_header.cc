// The sides of a BMP, from its DIB header.

#include <array>
#include <cstdlib>
#include <string>

#include "stages/image_header_parsers.h"

namespace weir {

std::string ParseBmpHeader(FileBytes& file, ImageHeader& header) {
  std::array<unsigned char, 16> dib;
  if (!file.Read(14, dib.data(), dib.size())) return "is truncated in its header";
  if (Little32(&dib[0]) < 40) return "is a BMP of OS/2, which weir does not read";
  header.width = static_cast<int>(Little32(&dib[4]));
  const std::int64_t height = static_cast<std::int32_t>(Little32(&dib[8]));
  header.height = SideOf(static_cast<std::uint32_t>(std::abs(height)));
  header.channels = 4;
  return "";
}

}  // namespace weir
