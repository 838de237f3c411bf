// Pictures that the tests of decode make, by libvips.
#pragma once

#include <vips/vips.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace weir {

struct UnrefObject {
  void operator()(void* object) const { g_object_unref(object); }
};
using Vips = std::unique_ptr<VipsImage, UnrefObject>;

// [height, width, bands] of values from `value(x, y, band)`.
template <class T = std::uint8_t, class Value>
Vips MakePicture(int width, int height, int bands, VipsInterpretation interpretation, Value value) {
  std::vector<T> pixels;
  pixels.reserve(std::size_t(width) * height * bands);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int band = 0; band < bands; ++band) pixels.push_back(static_cast<T>(value(x, y, band)));
    }
  }
  constexpr VipsBandFormat kFormat = std::is_same_v<T, float>           ? VIPS_FORMAT_FLOAT
                                     : std::is_same_v<T, std::uint16_t> ? VIPS_FORMAT_USHORT
                                                                        : VIPS_FORMAT_UCHAR;
  const Vips raw(vips_image_new_from_memory_copy(pixels.data(), pixels.size() * sizeof(T), width,
                                                 height, bands, kFormat));
  VipsImage* tagged = nullptr;
  vips_copy(raw.get(), &tagged, "interpretation", interpretation, nullptr);
  Vips result(tagged);
  vips_image_wio_input(tagged);
  return Vips(vips_image_copy_memory(tagged));
}

// Slow waves with a little noise: about as hard to compress as a photo. [height, width, 3]
inline Vips MakePhoto(int width, int height) {
  unsigned noise = 1;
  return MakePicture(width, height, 3, VIPS_INTERPRETATION_sRGB, [&noise](int x, int y, int band) {
    noise = noise * 1664525u + 1013904223u;
    return (x * (band + 1) / 16 + y / 8) % 200 + (noise >> 28);
  });
}

// Throws where libvips cannot write it: the test is wrong then.
inline std::string Save(const Vips& image, const std::string& path_and_options) {
  if (vips_image_write_to_file(image.get(), path_and_options.c_str(), nullptr) != 0) {
    throw std::runtime_error(vips_error_buffer());
  }
  return path_and_options.substr(0, path_and_options.find('['));
}

}  // namespace weir
