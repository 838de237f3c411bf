#include "stages/kernels/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#ifdef __x86_64__
#include <immintrin.h>
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
  int count = 0;                      // taps a pixel, even: those that are not needed weigh nothing
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

// From `from` pixels to `to`, with half-pixel centres: target i lies at (i + 0.5) * scale - 0.5,
// and is the result's pixel i, or where it is `flipped` the one that is i from the end.
Taps MakeTaps(int from, int to, bool flipped) {
  const double scale = static_cast<double>(from) / to;
  const double radius = std::max(1.0, scale);
  Taps taps;
  taps.count = std::min(from, static_cast<int>(std::ceil(2 * radius)));
  taps.count += taps.count % 2;
  taps.first.resize(to);
  taps.weights.assign(static_cast<std::size_t>(to) * taps.count, 0);
  std::vector<double> exact;
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale - 0.5;
    const int begin = std::clamp(static_cast<int>(std::floor(centre - radius)) + 1, 0, from - 1);
    const int end = std::clamp(static_cast<int>(std::ceil(centre + radius)), begin + 1,
                               std::min(from, begin + taps.count));
    exact.clear();
    for (int tap = begin; tap < end; ++tap) {
      exact.push_back(std::max(0.0, 1 - std::abs(tap - centre) / radius));
    }
    const std::size_t pixel = flipped ? to - 1 - i : i;
    taps.first[pixel] = begin;
    Round(exact, &taps.weights[pixel * taps.count]);
  }
  return taps;
}

struct Portable {
  // [begin, size) of `row` are the weighted sums of `rows`, one for each tap.
  static void Down(const std::vector<const std::uint8_t*>& rows, const std::int16_t* weights,
                   std::size_t begin, std::size_t size, std::int16_t* row) {
    for (std::size_t i = begin; i < size; ++i) {
      std::int32_t sum = 1 << (kRowShift - 1);
      for (std::size_t tap = 0; tap < rows.size(); ++tap) sum += weights[tap] * rows[tap][i];
      row[i] = static_cast<std::int16_t>(sum >> kRowShift);
    }
  }

  // Two rows of the result, from theirs of the source's width.
  static void Across(const std::int16_t* const (&rows)[2], const Taps& taps,
                     std::uint8_t* const (&out)[2]) {
    for (int i = 0; i < 2; ++i) {
      for (std::size_t x = 0; x < taps.first.size(); ++x) {
        const std::int16_t* from = rows[i] + std::size_t{3} * taps.first[x];
        const std::int16_t* weights = &taps.weights[x * taps.count];
        for (int c = 0; c < 3; ++c) {
          std::int32_t sum = 1 << (kOutShift - 1);
          for (int tap = 0; tap < taps.count; ++tap) sum += weights[tap] * from[3 * tap + c];
          out[i][3 * x + c] = static_cast<std::uint8_t>(sum >> kOutShift);
        }
      }
    }
  }
};

#ifdef __x86_64__
// Two taps at a time: pairs of 16-bit numbers are multiplied and added to 32 bits.
struct Avx2 {
  [[gnu::target("avx2"), gnu::always_inline]] static __m256i Pair(const std::int16_t* weights) {
    std::int32_t both;
    std::memcpy(&both, weights, sizeof both);
    return _mm256_set1_epi32(both);
  }
  [[gnu::target("avx2"), gnu::always_inline]] static __m128i Load(const void* from) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
  }

  [[gnu::target("avx2")]] static void Down(const std::vector<const std::uint8_t*>& rows,
                                           const std::int16_t* weights, std::size_t begin,
                                           std::size_t size, std::int16_t* row) {
    const __m256i half = _mm256_set1_epi32(1 << (kRowShift - 1));
    std::size_t i = begin;
    for (; i + 16 <= size; i += 16) {
      __m256i low = half, high = half;  // numbers 0-3 and 8-11, 4-7 and 12-15
      for (std::size_t tap = 0; tap < rows.size(); tap += 2) {
        const __m256i first = _mm256_cvtepu8_epi16(Load(rows[tap] + i));
        const __m256i second = _mm256_cvtepu8_epi16(Load(rows[tap + 1] + i));
        const __m256i pair = Pair(weights + tap);
        low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(first, second), pair));
        high =
            _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(first, second), pair));
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(row + i),
                          _mm256_packs_epi32(_mm256_srai_epi32(low, kRowShift),
                                             _mm256_srai_epi32(high, kRowShift)));
    }
    Portable::Down(rows, weights, i, size, row);
  }

  // The lower half of a register is of the first row, the upper half of the second.
  [[gnu::target("avx2")]] static void Across(const std::int16_t* const (&rows)[2], const Taps& taps,
                                             std::uint8_t* const (&out)[2]) {
    // Numbers 0 and 3, 1 and 4, 2 and 5: the channels of two neighbours.
    const __m256i neighbours = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1));
    const __m256i half = _mm256_set1_epi32(1 << (kOutShift - 1));
    const std::int16_t* weights = taps.weights.data();
    for (std::size_t x = 0; x < taps.first.size(); ++x) {
      const std::size_t first = std::size_t{3} * taps.first[x];
      __m256i sum = half;
      for (int tap = 0; tap < taps.count; tap += 2, weights += 2) {
        const std::size_t at = first + std::size_t{3} * tap;
        const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(Load(rows[0] + at)),
                                                     Load(rows[1] + at), 1);
        sum = _mm256_add_epi32(
            sum, _mm256_madd_epi16(_mm256_shuffle_epi8(both, neighbours), Pair(weights)));
      }
      const __m256i levels = _mm256_srai_epi32(sum, kOutShift);
      const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(levels, levels), levels);
      const std::int32_t pixels[2] = {_mm256_extract_epi32(bytes, 0),
                                      _mm256_extract_epi32(bytes, 4)};
      std::memcpy(out[0] + 3 * x, &pixels[0], 3);
      std::memcpy(out[1] + 3 * x, &pixels[1], 3);
    }
  }
};
#endif

template <class Arithmetic>
void ResizeWith(PixelView source, MutablePixelView out, Flips flips) {
  const Taps down = MakeTaps(source.height, out.height, flips.vertical);
  const Taps across = MakeTaps(source.width, out.width, flips.horizontal);
  const std::size_t values = std::size_t{3} * source.width;
  // Room for the taps that weigh nothing beyond the last pixel.
  std::vector<std::int16_t> sums[2];
  for (auto& row : sums) row.resize(values + std::size_t{3} * across.count);
  std::vector<const std::uint8_t*> rows(down.count);
  for (int y = 0; y < out.height; y += 2) {
    const int lower = std::min(y + 1, out.height - 1);  // the last of an odd number is made twice
    for (int i = 0; i < 2; ++i) {
      const int target = i == 0 ? y : lower;
      for (int tap = 0; tap < down.count; ++tap) {  // beyond the source they weigh nothing
        rows[tap] = source.row(std::min(down.first[target] + tap, source.height - 1));
      }
      Arithmetic::Down(rows, &down.weights[static_cast<std::size_t>(target) * down.count], 0,
                       values, sums[i].data());
    }
    Arithmetic::Across({sums[0].data(), sums[1].data()}, across, {out.row(y), out.row(lower)});
  }
}

}  // namespace

void Resize(PixelView source, MutablePixelView out, Flips flips) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return ResizeWith<Avx2>(source, out, flips);
#endif
  ResizeWith<Portable>(source, out, flips);
}

void ResizePortable(PixelView source, MutablePixelView out, Flips flips) {
  ResizeWith<Portable>(source, out, flips);
}

}  // namespace weir
