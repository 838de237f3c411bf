#include "stages/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir {
namespace {

// Weights have 14 bits of fraction and add up to kOne. Between the two directions a grey level has
// 7 bits of fraction, so that it fits a signed number of 16 bits.
constexpr int kWeightBits = 14;
constexpr int kOne = 1 << kWeightBits;
constexpr int kLevelBits = 7;
constexpr int kRowShift = kWeightBits - kLevelBits;
constexpr int kOutShift = kWeightBits + kLevelBits;

// Which pixels of the source a pixel of the result is made of, for each along one axis.
struct Taps {
  int count = 0;                      // of each, even: those that are not needed weigh nothing
  std::vector<int> first;             // pixel of the source
  std::vector<std::int16_t> weights;  // [size, count]
};

// What of `exact` weighs as much as kOne, rounded so that it adds up.
void Round(const std::vector<double>& exact, std::int16_t* weights) {
  double sum = 0;
  for (const double weight : exact) sum += weight;
  int left = kOne;
  std::size_t heaviest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    weights[i] = static_cast<std::int16_t>(std::lround(exact[i] / sum * kOne));
    left -= weights[i];
    if (exact[i] > exact[heaviest]) heaviest = i;
  }
  weights[heaviest] = static_cast<std::int16_t>(weights[heaviest] + left);
}

// From `from` pixels to `to`, with half-pixel centres: target i lies at (i + 0.5) * scale - 0.5.
Taps MakeTaps(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double radius = std::max(1.0, scale);
  Taps taps;
  taps.count = std::min(from, static_cast<int>(std::ceil(2 * radius)) + 1);
  taps.count += taps.count % 2;
  taps.first.resize(to);
  taps.weights.assign(static_cast<std::size_t>(to) * taps.count, 0);
  std::vector<double> exact;
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale - 0.5;
    const int begin = std::clamp(static_cast<int>(std::floor(centre - radius)) + 1, 0, from - 1);
    const int end = std::clamp(static_cast<int>(std::ceil(centre + radius)), begin + 1, from);
    exact.clear();
    for (int pixel = begin; pixel < end; ++pixel) {
      exact.push_back(std::max(0.0, 1 - std::abs(pixel - centre) / radius));
    }
    taps.first[i] = begin;
    Round(exact, &taps.weights[static_cast<std::size_t>(i) * taps.count]);
  }
  return taps;
}

// The rows of one row of the result; those beyond the source weigh nothing and are its last.
struct Rows {
  const std::uint8_t* source;
  int height;
  std::size_t stride;
  int first;
  const std::uint8_t* operator[](int tap) const {
    return source + stride * std::min(first + tap, height - 1);
  }
};

struct Portable {
  // [begin, size) of `row` are the weighted sums of the rows.
  static void Down(const Rows& rows, const std::int16_t* weights, int taps, std::size_t begin,
                   std::size_t size, std::int16_t* row) {
    for (std::size_t i = begin; i < size; ++i) {
      std::int32_t sum = 1 << (kRowShift - 1);
      for (int tap = 0; tap < taps; ++tap) sum += weights[tap] * rows[tap][i];
      row[i] = static_cast<std::int16_t>(sum >> kRowShift);
    }
  }
  // `row` at the first tap's pixel; writes 3 bytes.
  static void Across(const std::int16_t* row, const std::int16_t* weights, int taps,
                     std::uint8_t* out) {
    for (int c = 0; c < 3; ++c) {
      std::int32_t sum = 1 << (kOutShift - 1);
      for (int tap = 0; tap < taps; ++tap) sum += weights[tap] * row[3 * tap + c];
      out[c] = static_cast<std::uint8_t>(sum >> kOutShift);
    }
  }
};

#ifdef __SSE2__
// Two taps at a time: pairs of 16-bit numbers are multiplied and added to 32 bits.
struct Fast {
  static __m128i Pair(const std::int16_t* weights) {
    std::int32_t both;
    std::memcpy(&both, weights, sizeof both);
    return _mm_set1_epi32(both);
  }
  static __m128i Load8(const void* from) {
    return _mm_loadl_epi64(static_cast<const __m128i*>(from));
  }

  static void Down(const Rows& rows, const std::int16_t* weights, int taps, std::size_t begin,
                   std::size_t size, std::int16_t* row) {
    const __m128i zero = _mm_setzero_si128();
    const __m128i half = _mm_set1_epi32(1 << (kRowShift - 1));
    std::size_t i = begin;
    for (; i + 8 <= size; i += 8) {
      __m128i low = half, high = half;
      for (int tap = 0; tap < taps; tap += 2) {
        const __m128i both = _mm_unpacklo_epi8(Load8(rows[tap] + i), Load8(rows[tap + 1] + i));
        const __m128i pair = Pair(weights + tap);
        low = _mm_add_epi32(low, _mm_madd_epi16(_mm_unpacklo_epi8(both, zero), pair));
        high = _mm_add_epi32(high, _mm_madd_epi16(_mm_unpackhi_epi8(both, zero), pair));
      }
      _mm_storeu_si128(
          reinterpret_cast<__m128i*>(row + i),
          _mm_packs_epi32(_mm_srai_epi32(low, kRowShift), _mm_srai_epi32(high, kRowShift)));
    }
    Portable::Down(rows, weights, taps, i, size, row);
  }

  static void Across(const std::int16_t* row, const std::int16_t* weights, int taps,
                     std::uint8_t* out) {
    __m128i sum = _mm_set1_epi32(1 << (kOutShift - 1));
    for (int tap = 0; tap < taps; tap += 2) {
      const __m128i both = _mm_unpacklo_epi16(Load8(row + 3 * tap), Load8(row + 3 * tap + 3));
      sum = _mm_add_epi32(sum, _mm_madd_epi16(both, Pair(weights + tap)));
    }
    const __m128i levels = _mm_srai_epi32(sum, kOutShift);
    const __m128i bytes = _mm_packus_epi16(_mm_packs_epi32(levels, levels), levels);
    const std::int32_t pixel = _mm_cvtsi128_si32(bytes);
    std::memcpy(out, &pixel, 3);
  }
};
#else
using Fast = Portable;
#endif

template <class Arithmetic>
void ResizeWith(const std::uint8_t* source, int height, int width, std::uint8_t* out,
                int out_height, int out_width) {
  const Taps down = MakeTaps(height, out_height);
  const Taps across = MakeTaps(width, out_width);
  const std::size_t values = std::size_t{3} * width;
  // Room for the taps that weigh nothing beyond the last pixel, and the fourth number of a load.
  std::vector<std::int16_t> row(values + std::size_t{3} * across.count + 1);
  for (int y = 0; y < out_height; ++y) {
    Arithmetic::Down({source, height, values, down.first[y]},
                     &down.weights[static_cast<std::size_t>(y) * down.count], down.count, 0, values,
                     row.data());
    for (int x = 0; x < out_width; ++x) {
      Arithmetic::Across(&row[std::size_t{3} * across.first[x]],
                         &across.weights[static_cast<std::size_t>(x) * across.count], across.count,
                         out);
      out += 3;
    }
  }
}

}  // namespace

void Resize(const std::uint8_t* source, int height, int width, std::uint8_t* out, int out_height,
            int out_width) {
  ResizeWith<Fast>(source, height, width, out, out_height, out_width);
}

void ResizePortable(const std::uint8_t* source, int height, int width, std::uint8_t* out,
                    int out_height, int out_width) {
  ResizeWith<Portable>(source, height, width, out, out_height, out_width);
}

}  // namespace weir
