#include "stages/writers/picture_encoder.h"

#include <vips/vips.h>

#include <memory>
#include <string>

#include "framework/error.h"
#include "stages/decode/vips/vips_decoder.h"
#include "stages/decode/vips/vips_error.h"

namespace weir {
namespace {

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};

[[noreturn]] void ThrowVips() {
  throw VipsError("libvips cannot write a picture", "Check the installation of libvips.");
}

// What libvips made of `image`, in its own memory.
struct Written {
  Written() = default;
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  ~Written() { g_free(bytes); }
  void* bytes = nullptr;
  std::size_t size = 0;
};

bool Write(VipsImage* image, PictureFormat format, int quality, Written& to) {
  switch (format) {
    case PictureFormat::kJpeg:
      return vips_jpegsave_buffer(image, &to.bytes, &to.size, "Q", quality, "strip", TRUE,
                                  nullptr) == 0;
    case PictureFormat::kWebp:
      return vips_webpsave_buffer(image, &to.bytes, &to.size, "Q", quality, "strip", TRUE,
                                  nullptr) == 0;
    case PictureFormat::kPng:
      break;
  }
  return vips_pngsave_buffer(image, &to.bytes, &to.size, "strip", TRUE, nullptr) == 0;
}

}  // namespace

std::string EndingOf(PictureFormat format) {
  return format == PictureFormat::kJpeg ? "jpg" : format == PictureFormat::kPng ? "png" : "webp";
}

std::vector<std::uint8_t> EncodePicture(std::span<const std::uint8_t> pixels, int height, int width,
                                        PictureFormat format, int quality) {
  StartVips();
  const std::unique_ptr<VipsImage, Unref> image(vips_image_new_from_memory(
      pixels.data(), std::size_t{3} * height * width, width, height, 3, VIPS_FORMAT_UCHAR));
  if (!image) ThrowVips();
  g_object_set(image.get(), "interpretation", VIPS_INTERPRETATION_sRGB, nullptr);
  Written written;
  if (!Write(image.get(), format, quality, written)) ThrowVips();
  const auto* begin = static_cast<const std::uint8_t*>(written.bytes);
  return {begin, begin + written.size};
}

// libvips' growing buffer, our copy, and the codec's own: a picture that cannot be compressed is a
// little larger as a PNG, and libwebp holds it twice as YUV with its tables.
std::size_t EncoderBytes(int height, int width) {
  const std::size_t raw = std::size_t{3} * height * width;
  return 4 * (raw + raw / 64) + (std::size_t{1} << 20);
}

}  // namespace weir
