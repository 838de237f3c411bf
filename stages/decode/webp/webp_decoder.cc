#include "stages/decode/webp/webp_decoder.h"

#include <webp/decode.h>

#include <algorithm>
#include <string>
#include <vector>

#include "stages/decode/picture/picture_rows.h"
#include "stages/decode/webp/webp_header.h"

namespace weir {
namespace {

constexpr std::size_t kLibraryBytes = 256 << 10;  // the decoder's own tables
constexpr std::size_t kRowBytes = 200;  // a pixel across: predictors, filtered and scaled rows

struct Size {
  int width = 0;
  int height = 0;
};

Shrink ShrinkOf(const ImageHeader& header, const WantedSize& wanted) {
  return ShrinkFor(header.width, header.height, AsStored(wanted, header.orientation));
}

// Whether libwebp decodes to what is wanted, as stored. It knows no canvas, and weighs the colours
// of a lossless picture by its alpha where it scales them.
bool DecodesToResult(const ImageHeader& header, const Shrink& shrink) {
  const bool blends = header.whole && header.channels == 4;
  return header.frame_covers() && !(blends && (shrink.across > 1 || shrink.down > 1));
}

// What the frame is decoded to.
Size SizeFor(const ImageHeader& header, const Shrink& shrink) {
  if (!DecodesToResult(header, shrink)) return {header.frame.width, header.frame.height};
  return {(header.width + shrink.across - 1) / shrink.across,
          (header.height + shrink.down - 1) / shrink.down};
}

const char* Reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return "is truncated";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "is a WebP of a kind that libwebp does not read";
    case VP8_STATUS_OUT_OF_MEMORY:
      return "takes more memory than there is";
    default:
      return "is corrupt: libwebp cannot read its pixels";
  }
}

// A frame, decoded in full to `pixels`, on its canvas, which is black as libwebp clears it and
// Pillow shows it.
Image OnCanvas(const std::uint8_t* pixels, const ImageHeader& header, const Shrink& shrink) {
  const ImageFrame& frame = header.frame;
  PictureRows rows(header.width, header.height, shrink, header.orientation);
  const std::size_t bytes = std::size_t{3} * frame.width;
  std::vector<std::uint8_t> row(std::size_t{3} * header.width);
  for (int y = 0; y < header.height; ++y) {
    if (y == frame.top + frame.height) std::fill(row.begin(), row.end(), 0);
    if (y >= frame.top && y < frame.top + frame.height) {
      std::copy_n(pixels + bytes * (y - frame.top), bytes,
                  row.data() + std::size_t{3} * frame.left);
    }
    rows.Add(row.data());
  }
  return rows.Take();
}

std::string LoadedLibrary() {
  const int version = WebPGetDecoderVersion();
  return "libwebp " + std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) +
         "." + std::to_string(version & 255);
}

Outcome<Image> DecodeWebp(FileBytes& file, const ImageHeader& header, const WantedSize& wanted) {
  AlignedBuffer<std::uint8_t> encoded(header.bytes);
  if (file.ReadSome(header.begin, encoded.data(), encoded.size()) != encoded.size()) {
    return Drop{"", "is truncated"};
  }
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) return Drop{"", "needs another version of libwebp"};
  VP8StatusCode status = WebPGetFeatures(encoded.data(), encoded.size(), &config.input);
  if (status != VP8_STATUS_OK) return Drop{"", Reason(status)};
  if (config.input.width != header.frame.width || config.input.height != header.frame.height) {
    return Drop{"", "is corrupt: its header is ambiguous"};
  }
  const Shrink shrink = ShrinkOf(header, wanted);
  const Size size = SizeFor(header, shrink);
  AlignedBuffer<std::uint8_t> pixels(std::size_t{3} * size.width * size.height);
  config.options.use_scaling =
      size.width != header.frame.width || size.height != header.frame.height;
  config.options.scaled_width = size.width;
  config.options.scaled_height = size.height;
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.data(), 3 * size.width, pixels.size()};
  status = WebPDecode(encoded.data(), encoded.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) return Drop{"", Reason(status)};

  if (!DecodesToResult(header, shrink)) return OnCanvas(pixels.data(), header, shrink);
  if (header.orientation == 1) {
    Image image;
    image.width = size.width;
    image.height = size.height;
    image.pixels = std::move(pixels);
    return image;
  }
  PictureRows rows(size.width, size.height, {}, header.orientation);
  for (int y = 0; y < size.height; ++y) rows.Add(pixels.data() + std::size_t{3} * size.width * y);
  return rows.Take();
}

std::size_t WebpDecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  const Shrink shrink = ShrinkOf(header, wanted);
  const Size size = SizeFor(header, shrink);
  const std::size_t pixels = PictureRows::Bytes(size.width, size.height, {});
  const std::size_t turned = header.frame_covers()
                                 ? (header.orientation == 1 ? 0 : pixels)
                                 : PictureRows::Bytes(header.width, header.height, shrink);
  return kLibraryBytes + header.held_bytes + kRowBytes * static_cast<std::size_t>(header.width) +
         pixels + turned;
}

constexpr std::string_view kEndings[] = {".webp"};

}  // namespace

constinit const ImageFormat kWebpFormat = {
    .name = "WebP",
    .endings = kEndings,
    .matches =
        [](const FirstBytes& bytes) {
          return HoldsAt(bytes, 0, "RIFF") && HoldsAt(bytes, 8, "WEBP");
        },
    .read_header = &ParseWebpHeader,
    .decode = &DecodeWebp,
    .decoder_bytes = &WebpDecoderBytes,
    .library = &LoadedLibrary,
};

}  // namespace weir
