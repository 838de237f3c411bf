#include "stages/kernels/photometric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "stages/kernels/for_each_cpu.h"
#include "stages/pixel_view.h"

namespace weir {
namespace {

WEIR_INLINE float Grey(const std::uint8_t* pixel) {
  return 0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

// By way of int, which vectors convert to.
WEIR_INLINE std::uint8_t ToByte(float value) {
  return static_cast<std::uint8_t>(static_cast<int>(std::min(std::max(value, 0.0f), 255.0f)));
}

template <class Change>
void ForEachPixel(std::span<std::uint8_t> pixels, const Change& change) {
  for (std::size_t i = 0; i + 3 <= pixels.size(); i += 3) change(&pixels[i]);
}

WEIR_FOR_EACH_CPU_ALIKE
void Scale(std::span<std::uint8_t> pixels, float factor, float offset) {
  for (std::uint8_t& value : pixels) value = ToByte(static_cast<float>(value) * factor + offset);
}

WEIR_FOR_EACH_CPU_ALIKE
std::int64_t SumOfGreys(std::span<const std::uint8_t> pixels) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i + 3 <= pixels.size(); i += 3) sum += static_cast<int>(Grey(&pixels[i]));
  return sum;
}

WEIR_FOR_EACH_CPU_ALIKE
void BlendWithGrey(std::span<std::uint8_t> pixels, float factor) {
  std::uint8_t* values = pixels.data();
  for (std::size_t i = 0; i + 3 <= pixels.size(); i += 3) {
    const float grey = static_cast<float>(static_cast<int>(Grey(values + i))) * (1 - factor);
    for (int c = 0; c < 3; ++c) {
      values[i + c] = ToByte(static_cast<float>(values[i + c]) * factor + grey);
    }
  }
}

// What each of the 256 values of each channel becomes.
using ChannelTables = std::array<std::array<std::uint8_t, 256>, 3>;

void ApplyTables(std::span<std::uint8_t> pixels, const ChannelTables& tables) {
  ForEachPixel(pixels, [&tables](std::uint8_t* pixel) {
    for (int c = 0; c < 3; ++c) pixel[c] = tables[c][pixel[c]];
  });
}

// The lowest and the highest value of each channel.
struct Extremes {
  std::array<std::uint8_t, 3> least, most;
};

WEIR_FOR_EACH_CPU_ALIKE
Extremes FindExtremes(std::span<const std::uint8_t> pixels) {
  constexpr std::size_t kBlock = 96;  // bytes: whole pixels and whole registers
  std::array<std::uint8_t, kBlock> least, most;
  least.fill(255);
  most.fill(0);
  const auto add = [&](const std::uint8_t* values, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      least[k] = values[k] < least[k] ? values[k] : least[k];
      most[k] = values[k] > most[k] ? values[k] : most[k];
    }
  };
  const std::uint8_t *values = pixels.data(), *end = values + pixels.size();
  for (; values + kBlock <= end; values += kBlock) add(values, kBlock);
  add(values, static_cast<std::size_t>(end - values));
  for (std::size_t k = 3; k < kBlock; ++k) {
    least[k % 3] = std::min(least[k % 3], least[k]);
    most[k % 3] = std::max(most[k % 3], most[k]);
  }
  return {{least[0], least[1], least[2]}, {most[0], most[1], most[2]}};
}

using Histogram = std::array<std::uint32_t, 256>;

std::array<Histogram, 3> CountValues(std::span<const std::uint8_t> pixels) {
  // Neighbours are often alike: they are counted apart, so that none waits for the other.
  std::array<std::array<Histogram, 3>, 2> counts{};
  std::size_t i = 0;
  for (; i + 6 <= pixels.size(); i += 6) {
    for (std::size_t k = 0; k < 6; ++k) ++counts[k / 3][k % 3][pixels[i + k]];
  }
  for (; i < pixels.size(); ++i) ++counts[0][i % 3][pixels[i]];
  for (int c = 0; c < 3; ++c) {
    for (int value = 0; value < 256; ++value) counts[0][c][value] += counts[1][c][value];
  }
  return counts[0];
}

// What Equalize makes of the values of a channel.
std::array<std::uint8_t, 256> EqualizingTable(const Histogram& counts) {
  std::uint32_t below_highest = 0, passed = 0;
  for (const std::uint32_t count : counts) {
    if (count == 0) continue;
    below_highest = passed;
    passed += count;
  }
  const std::uint32_t step = below_highest / 255;
  std::array<std::uint8_t, 256> table;
  std::uint32_t sum = step / 2;
  for (int value = 0; value < 256; ++value) {
    table[value] = static_cast<std::uint8_t>(step == 0 ? value : std::min(sum / step, 255u));
    sum += counts[value];
  }
  return table;
}

// One row between `above` and `below`, but for its first and last pixel.
WEIR_FOR_EACH_CPU_ALIKE
void SharpenRow(const std::uint8_t* above, const std::uint8_t* row, const std::uint8_t* below,
                int bytes, float rest, std::uint8_t* out) {
  for (int i = 3; i < bytes - 3; ++i) {
    const int sum = above[i - 3] + above[i] + above[i + 3] + row[i - 3] + 5 * row[i] + row[i + 3] +
                    below[i - 3] + below[i] + below[i + 3];
    const int mean = (sum + 6) / 13;  // never half-way
    out[i] = ToByte(static_cast<float>(row[i]) + rest * static_cast<float>(mean - row[i]));
  }
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

void AdjustBrightness(std::span<std::uint8_t> pixels, float factor) { Scale(pixels, factor, 0); }

void AdjustContrast(std::span<std::uint8_t> pixels, float factor) {
  if (pixels.empty()) return;
  const auto mean = static_cast<float>(static_cast<double>(SumOfGreys(pixels)) /
                                       (static_cast<double>(pixels.size()) / 3));
  Scale(pixels, factor, mean * (1 - factor));
}

void AdjustSaturation(std::span<std::uint8_t> pixels, float factor) {
  BlendWithGrey(pixels, factor);
}

void AdjustHue(std::span<std::uint8_t> pixels, float turn) {
  ForEachPixel(pixels, [turn](std::uint8_t* pixel) {
    Hsv hsv = ToHsv(pixel[0] / 255.0f, pixel[1] / 255.0f, pixel[2] / 255.0f);
    hsv.hue = std::fmod(hsv.hue + turn + 1, 1.0f);
    const std::array<float, 3> rgb = ToRgb(hsv);
    for (int c = 0; c < 3; ++c) pixel[c] = ToByte(rgb[c] * 255.999f);
  });
}

void Posterize(std::span<std::uint8_t> pixels, int bits) {
  const auto mask = static_cast<std::uint8_t>(0xff00 >> bits);
  for (std::uint8_t& value : pixels) value &= mask;
}

void Solarize(std::span<std::uint8_t> pixels, float threshold) {
  const auto least = static_cast<std::uint8_t>(std::ceil(threshold));
  for (std::uint8_t& value : pixels) {
    value = value >= least ? static_cast<std::uint8_t>(255 - value) : value;
  }
}

void AutoContrast(std::span<std::uint8_t> pixels) {
  if (pixels.empty()) return;
  const Extremes extremes = FindExtremes(pixels);
  ChannelTables tables;
  for (int c = 0; c < 3; ++c) {
    const float least = extremes.least[c], range = extremes.most[c] - least;
    const float scale = range * static_cast<float>(1 / 255.0);
    for (int value = 0; value < 256; ++value) {
      const auto same = static_cast<float>(value);
      tables[c][value] = ToByte(range == 0 ? same : (same - least) / scale);
    }
  }
  ApplyTables(pixels, tables);
}

void Equalize(std::span<std::uint8_t> pixels) {
  const std::array<Histogram, 3> counts = CountValues(pixels);
  ChannelTables tables;
  for (int c = 0; c < 3; ++c) tables[c] = EqualizingTable(counts[c]);
  ApplyTables(pixels, tables);
}

void Sharpen(PixelView source, float factor, MutablePixelView out) {
  const int values = 3 * source.width;
  const int last = source.height - 1;
  for (int row = 0; row <= last; ++row) {
    const std::uint8_t* const from = source.row(row);
    std::uint8_t* const to = out.row(row);
    if (row == 0 || row == last || source.width <= 2) {
      std::memcpy(to, from, values);
      continue;
    }
    std::memcpy(to, from, 3);
    SharpenRow(source.row(row - 1), from, source.row(row + 1), values, 1 - factor, to);
    std::memcpy(to + values - 3, from + values - 3, 3);
  }
}

}  // namespace weir
