#include "stages/photometric.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace weir {
namespace {

float Grey(const std::uint8_t* pixel) {
  return 0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

std::uint8_t ToByte(float value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

template <class Change>
void ForEachPixel(std::span<std::uint8_t> pixels, const Change& change) {
  for (std::size_t i = 0; i + 3 <= pixels.size(); i += 3) change(&pixels[i]);
}

// Of each of the 256 values.
template <class Function>
void ApplyTable(std::span<std::uint8_t> pixels, const Function& function) {
  std::array<std::uint8_t, 256> table;
  for (int value = 0; value < 256; ++value) table[value] = ToByte(function(value));
  for (std::uint8_t& value : pixels) value = table[value];
}

struct Hsv {
  float hue, saturation, value;  // all in [0, 1]
};

Hsv ToHsv(float red, float green, float blue) {
  const float most = std::max({red, green, blue}), least = std::min({red, green, blue});
  const float range = most - least;
  if (range == 0) return {0, 0, most};
  float hue = 0;
  if (most == red) {
    hue = (green - blue) / range;
  } else if (most == green) {
    hue = 2 + (blue - red) / range;
  } else {
    hue = 4 + (red - green) / range;
  }
  return {std::fmod(hue / 6 + 1, 1.0f), range / most, most};
}

std::array<float, 3> ToRgb(const Hsv& hsv) {
  const float sixth = std::floor(hsv.hue * 6), part = hsv.hue * 6 - sixth;
  const auto limited = [](float value) { return std::clamp(value, 0.0f, 1.0f); };
  const float low = limited(hsv.value * (1 - hsv.saturation));
  const float falling = limited(hsv.value * (1 - hsv.saturation * part));
  const float rising = limited(hsv.value * (1 - hsv.saturation * (1 - part)));
  switch (static_cast<int>(sixth) % 6) {
    case 0:
      return {hsv.value, rising, low};
    case 1:
      return {falling, hsv.value, low};
    case 2:
      return {low, hsv.value, rising};
    case 3:
      return {low, falling, hsv.value};
    case 4:
      return {rising, low, hsv.value};
    default:
      return {hsv.value, low, falling};
  }
}

}  // namespace

void Grayscale(std::span<std::uint8_t> pixels) {
  ForEachPixel(pixels, [](std::uint8_t* pixel) {
    const std::uint8_t grey = ToByte(Grey(pixel));
    std::fill_n(pixel, 3, grey);
  });
}

void AdjustBrightness(std::span<std::uint8_t> pixels, float factor) {
  ApplyTable(pixels, [factor](int value) { return static_cast<float>(value) * factor; });
}

void AdjustContrast(std::span<std::uint8_t> pixels, float factor) {
  if (pixels.empty()) return;
  double sum = 0;
  ForEachPixel(pixels, [&sum](const std::uint8_t* pixel) { sum += std::floor(Grey(pixel)); });
  const auto mean = static_cast<float>(sum / (static_cast<double>(pixels.size()) / 3));
  ApplyTable(pixels,
             [=](int value) { return static_cast<float>(value) * factor + mean * (1 - factor); });
}

void AdjustSaturation(std::span<std::uint8_t> pixels, float factor) {
  ForEachPixel(pixels, [factor](std::uint8_t* pixel) {
    const float grey = std::floor(Grey(pixel)) * (1 - factor);
    for (int c = 0; c < 3; ++c) pixel[c] = ToByte(static_cast<float>(pixel[c]) * factor + grey);
  });
}

void AdjustHue(std::span<std::uint8_t> pixels, float turn) {
  ForEachPixel(pixels, [turn](std::uint8_t* pixel) {
    Hsv hsv = ToHsv(pixel[0] / 255.0f, pixel[1] / 255.0f, pixel[2] / 255.0f);
    hsv.hue = std::fmod(hsv.hue + turn + 1, 1.0f);
    const std::array<float, 3> rgb = ToRgb(hsv);
    for (int c = 0; c < 3; ++c) pixel[c] = ToByte(rgb[c] * 255.999f);
  });
}

}  // namespace weir
