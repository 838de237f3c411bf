#include "stages/decode/png/png_decoder.h"

#include "stages/decode/png/png_header.h"
#include "stages/decode/vips/vips_decoder.h"

namespace weir {
namespace {

Outcome<Image> DecodePng(FileBytes& file, const ImageHeader& header, const WantedSize& wanted) {
  return DecodeWithVips(file, header, wanted, {.operation = "pngload_source"});
}

constexpr std::string_view kEndings[] = {".png"};

}  // namespace

constinit const ImageFormat kPngFormat = {
    .name = "PNG",
    .endings = kEndings,
    .matches = [](const FirstBytes& bytes) { return HoldsAt(bytes, 0, "\x89PNG\r\n\x1a\n"); },
    .read_header = &ParsePngHeader,
    .decode = &DecodePng,
    .decoder_bytes = &VipsDecoderBytes,
    .library = [] { return "libvips " + VipsVersion(); },
    .start = &StartVips,
};

}  // namespace weir
