#include "pipelines/drawing/rasterise.h"

#include <vips/vips.h>

#include <memory>

#include "stages/decode/vips/vips_decoder.h"
#include "stages/decode/vips/vips_error.h"

namespace weir {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using Picture = std::unique_ptr<VipsImage, Unref>;

void BlockSvg([[maybe_unused]] gboolean is_blocked) {
#if VIPS_MAJOR_VERSION > 8 || VIPS_MINOR_VERSION >= 13
  vips_operation_block_set("VipsForeignLoadSvg", is_blocked);
#endif
}

[[noreturn]] void ThrowVips() {
  throw VipsError("libvips cannot draw", "Check that this libvips reads SVG.");
}

}  // namespace

SvgAllowed::SvgAllowed() {
  StartVips();
  BlockSvg(FALSE);
}
SvgAllowed::~SvgAllowed() { BlockSvg(TRUE); }

std::vector<std::uint8_t> Rasterised(const std::string& svg) {
  VipsImage* loaded = nullptr;
  VipsImage* opaque = nullptr;
  // The text outlives the image, and librsvg only reads it.
  if (vips_svgload_buffer(const_cast<char*>(svg.data()), svg.size(), &loaded, nullptr) != 0) {
    ThrowVips();
  }
  const Picture drawn(loaded);
  if (vips_flatten(drawn.get(), &opaque, nullptr) != 0) ThrowVips();
  const Picture flat(opaque);
  std::size_t bytes = 0;
  const std::unique_ptr<void, decltype(&g_free)> memory(
      vips_image_write_to_memory(flat.get(), &bytes), g_free);
  if (!memory) ThrowVips();
  const auto* begin = static_cast<const std::uint8_t*>(memory.get());
  return std::vector<std::uint8_t>(begin, begin + bytes);
}

}  // namespace weir
