#include "stages/decode/tiff/tiff_samples.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "stages/decode/picture/pixel_rows.h"

namespace weir {
namespace {

// The samples of a row in one plane, each to the place of its own in `to`.
template <class T>
struct Spread {
  T* to;
  std::size_t step;
  void operator()(T value) {
    *to = value;
    to += step;
  }
};

// `bits` divides 8: the first sample is in the upper bits.
template <class T>
void UnpackParts(const std::uint8_t* from, std::size_t count, int bits, int factor, Spread<T> to) {
  const unsigned mask = (1u << bits) - 1;
  const std::size_t in_a_byte = 8 / bits;
  for (std::size_t i = 0; i < count; ++i) {
    const int shift = 8 - bits * static_cast<int>(i % in_a_byte + 1);
    to(static_cast<T>((from[i / in_a_byte] >> shift & mask) * factor));
  }
}

// Two samples in three bytes.
template <class T>
void Unpack12(const std::uint8_t* from, std::size_t count, Spread<T> to) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* at = from + i / 2 * 3 + i % 2;
    const unsigned value = i % 2 ? (at[0] & 15u) << 8 | at[1] : at[0] << 4 | at[1] >> 4;
    to(static_cast<T>(value << 4 | value >> 8));
  }
}

template <class T>
void UnpackWhole(const std::uint8_t* from, std::size_t count, Spread<T> to) {
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    to(value);
  }
}

// Divides colours by the alpha that they were multiplied by, as libvips does: cut off, not rounded.
template <class T>
void DivideByAlpha(T* samples, int width, int channels) {
  const int colours = channels >= 4 ? 3 : 1;
  constexpr float kMost = std::numeric_limits<T>::max();
  for (int x = 0; x < width; ++x, samples += channels) {
    const T alpha = samples[colours];
    const float factor = alpha == 0 ? 0 : kMost / static_cast<float>(alpha);
    for (int i = 0; i < colours; ++i) {
      samples[i] = static_cast<T>(std::min(kMost, factor * static_cast<float>(samples[i])));
    }
  }
}

}  // namespace

TiffSamples::TiffSamples(const TiffLayout& layout, std::vector<Colour> palette)
    : layout_(layout), palette_(std::move(palette)) {
  const std::size_t count = static_cast<std::size_t>(layout.width) * layout.samples;
  if (layout.bits > 8) {
    words_.resize(count);
  } else {
    bytes_.resize(count);
  }
}

std::size_t TiffSamples::Bytes(const TiffLayout& layout) {
  const std::size_t palette = sizeof(Colour) << (layout.colour == kTiffPalette ? layout.bits : 0);
  return static_cast<std::size_t>(layout.width) * layout.samples * (layout.bits > 8 ? 2 : 1) +
         palette;
}

template <class T>
void TiffSamples::Unpack(std::span<const std::uint8_t* const> planes,
                         std::vector<T>& samples) const {
  const std::size_t step = planes.size(), count = samples.size() / step;
  // A palette's numbers stay as they are.
  const int most = (1 << layout_.bits) - 1;
  const int factor = layout_.colour == kTiffPalette ? 1 : 255 / most;
  for (std::size_t plane = 0; plane < step; ++plane) {
    const Spread<T> to{samples.data() + plane, step};
    if (layout_.bits < 8) {
      UnpackParts(planes[plane], count, static_cast<int>(layout_.bits), factor, to);
    } else if (layout_.bits == 12) {
      Unpack12(planes[plane], count, to);
    } else {
      UnpackWhole(planes[plane], count, to);
    }
  }
}

template <class T>
void TiffSamples::Convert(T* samples, std::uint8_t* rgb) const {
  const int width = layout_.width, channels = static_cast<int>(layout_.samples);
  switch (layout_.colour) {
    case kTiffPalette:
      for (int x = 0; x < width; ++x) {
        const Colour& colour = palette_[samples[x * channels]];
        std::copy(colour.begin(), colour.end(), rgb + 3 * x);
      }
      return;
    case kTiffInks:
      return LightToRgb(samples, width, channels, true, rgb);
    case kTiffWhiteIsZero:
      for (int x = 0; x < width; ++x) samples[x * channels] ^= std::numeric_limits<T>::max();
      break;
    default:
      break;
  }
  if (layout_.associated) DivideByAlpha(samples, width, channels);
  weir::ToRgb(samples, width, channels, rgb);
}

void TiffSamples::ToRgb(std::span<const std::uint8_t* const> planes, std::uint8_t* rgb) {
  if (layout_.bits > 8) {
    Unpack(planes, words_);
    Convert(words_.data(), rgb);
  } else {
    Unpack(planes, bytes_);
    Convert(bytes_.data(), rgb);
  }
}

}  // namespace weir
