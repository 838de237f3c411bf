#include "stages/kernels/warp.h"

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

// Places are whole pixels and 32 bits of fraction; weights have 15 bits, 1 being kOne; a blended
// grey level has 7 bits of fraction. A product loses what is below its last bit, 2 of those 7 bits
// at the most in each direction: kRounding makes up for the mean of it.
constexpr std::int64_t Whole(std::int64_t pixels) { return pixels * (std::int64_t{1} << 32); }
constexpr std::uint32_t kOne = 32768;
constexpr int kRounding = 66;

std::int64_t Fixed(double pixels) { return std::llround(std::ldexp(pixels, 32)); }

// `weight` of a number of 16 bits, in 15 bits.
constexpr std::uint32_t Part(std::uint32_t value, std::uint32_t weight) {
  return value * weight >> 16;
}

// The picture between four neighbours: `upper` and `lower` point at the left ones, `right` and
// `down` are the weights of the others. Returns the three channels in the low bytes.
struct PortableBlend {
  static std::uint32_t Pixel(const std::uint8_t* upper, const std::uint8_t* lower,
                             const std::uint8_t* /*end*/, std::uint32_t right, std::uint32_t down) {
    std::uint32_t pixel = 0;
    for (int c = 0; c < 3; ++c) {
      const auto column = [&](int i) {
        return 2 * (Part(upper[i] << 8, kOne - down) + Part(lower[i] << 8, down));
      };
      const std::uint32_t blended = Part(column(c), kOne - right) + Part(column(c + 3), right);
      pixel |= ((blended + kRounding) >> 7) << (8 * c);
    }
    return pixel;
  }
};

#ifdef __SSE2__
// The six numbers of two neighbours lie in one register of eight.
struct FastBlend {
  static __m128i Load(const std::uint8_t* from, std::size_t count) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, from, count);
    return _mm_unpacklo_epi8(_mm_setzero_si128(), _mm_cvtsi64_si128(static_cast<long long>(bytes)));
  }

  static std::uint32_t Pixel(const std::uint8_t* upper, const std::uint8_t* lower,
                             const std::uint8_t* end, std::uint32_t right, std::uint32_t down) {
    const __m128i one = _mm_set1_epi16(static_cast<short>(kOne));
    const __m128i weight_down = _mm_set1_epi16(static_cast<short>(down));
    const __m128i above = Load(upper, 8);  // two bytes too many, beside it or of the next row
    const __m128i below = end - lower >= 8 ? Load(lower, 8) : Load(lower, 6);
    const __m128i columns = _mm_add_epi16(_mm_mulhi_epu16(above, _mm_sub_epi16(one, weight_down)),
                                          _mm_mulhi_epu16(below, weight_down));

    const __m128i left_lanes = _mm_setr_epi16(-1, -1, -1, 0, 0, 0, 0, 0);
    const __m128i weight_right = _mm_set1_epi16(static_cast<short>(right));
    const __m128i weights = _mm_sub_epi16(  // 1 - right in the left lanes: 65535 - right - 32767
        _mm_xor_si128(weight_right, left_lanes),
        _mm_and_si128(left_lanes, _mm_set1_epi16(static_cast<short>(kOne - 1))));
    const __m128i parts = _mm_mulhi_epu16(_mm_slli_epi16(columns, 1), weights);
    const __m128i blended = _mm_add_epi16(parts, _mm_srli_si128(parts, 6));
    const __m128i levels = _mm_srli_epi16(_mm_add_epi16(blended, _mm_set1_epi16(kRounding)), 7);
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_packus_epi16(levels, levels)));
  }
};
#else
using FastBlend = PortableBlend;
#endif

// The first of `count` columns for which `holds`, which once true stays true; `count` if none.
template <class Predicate>
int FirstColumn(int count, Predicate holds) {
  int low = 0;
  int high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Where along one axis of the source an output row goes: `step` further with each column.
struct Track {
  std::int64_t start;
  std::int64_t step;
  std::int64_t last;  // pixel of the axis

  std::int64_t At(int column) const { return start + column * step; }

  // Narrows [begin, end) to the columns between the first pixel and the last, where nothing is to
  // be clamped.
  void Inside(int count, int& begin, int& end) const {
    const auto reached = [&](std::int64_t edge) {
      return FirstColumn(
          count, [&](int column) { return step >= 0 ? At(column) >= edge : At(column) < edge; });
    };
    const int from_low = reached(0);
    const int from_high = reached(Whole(last));
    begin = std::max(begin, std::min(from_low, from_high));
    end = std::min(end, std::max(from_low, from_high));
  }
};

// One pixel; kClamp where its place may be outside of the source.
template <class Blend, bool kClamp>
[[gnu::always_inline]] inline std::uint32_t PixelAt(const PixelView& source, const Track& x,
                                                    const Track& y, int column) {
  std::int64_t place_x = x.At(column);
  std::int64_t place_y = y.At(column);
  std::int64_t left = place_x >> 32;
  std::int64_t top = place_y >> 32;
  if constexpr (kClamp) {  // the last pixel is the right one of its pair, with all of the weight
    place_x = std::clamp<std::int64_t>(place_x, 0, Whole(x.last));
    place_y = std::clamp<std::int64_t>(place_y, 0, Whole(y.last));
    left = std::min(place_x >> 32, x.last - 1);
    top = std::min(place_y >> 32, y.last - 1);
  }
  const auto right = static_cast<std::uint32_t>((place_x - Whole(left)) >> 17);
  const auto down = static_cast<std::uint32_t>((place_y - Whole(top)) >> 17);
  const std::uint8_t* upper = source.pixels + top * source.row_bytes + 3 * left;
  return Blend::Pixel(upper, upper + source.row_bytes, source.end(), right, down);
}

template <class Blend>
void WarpRow(const PixelView& source, const Track& x, const Track& y, std::uint8_t* out,
             int count) {
  int begin = 0;
  int end = count;
  x.Inside(count, begin, end);
  y.Inside(count, begin, end);
  begin = std::min(begin, count - 1);
  end = std::clamp(end, begin, count - 1);  // the last pixel has no room for a fourth byte
  const auto store = [&](int column, std::uint32_t pixel) {
    std::memcpy(out + std::ptrdiff_t{3} * column, &pixel, 4);
  };
  for (int i = 0; i < begin; ++i) store(i, PixelAt<Blend, true>(source, x, y, i));
  if (y.step == 0) {  // without rotation a row of the output comes from one pair of rows
    const Track level{y.start, 0, y.last};
    for (int i = begin; i < end; ++i) store(i, PixelAt<Blend, false>(source, x, level, i));
  } else {
    for (int i = begin; i < end; ++i) store(i, PixelAt<Blend, false>(source, x, y, i));
  }
  for (int i = end; i < count - 1; ++i) store(i, PixelAt<Blend, true>(source, x, y, i));
  const std::uint32_t last = PixelAt<Blend, true>(source, x, y, count - 1);
  std::memcpy(out + std::ptrdiff_t{3} * (count - 1), &last, 3);
}

// Every pixel needs a right and a lower neighbour; here it is the edge once more.
std::vector<std::uint8_t> Doubled(const PixelView& source, int height, int width) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(std::size_t{3} * height * width);
  for (int row = 0; row < height; ++row) {
    const std::uint8_t* from = source.row(std::min(row, source.height - 1));
    pixels.insert(pixels.end(), from, from + std::size_t{3} * source.width);
    if (width > source.width) pixels.insert(pixels.end(), from, from + 3);
  }
  return pixels;
}

template <class Blend>
void WarpWith(PixelView source, const Affine& map, MutablePixelView out) {
  const std::int64_t x0 = Fixed(map.x0), xx = Fixed(map.xx), xy = Fixed(map.xy);
  const std::int64_t y0 = Fixed(map.y0), yx = Fixed(map.yx), yy = Fixed(map.yy);
  std::vector<std::uint8_t> doubled;
  if (source.height < 2 || source.width < 2) {
    const int height = std::max(source.height, 2);
    const int width = std::max(source.width, 2);
    doubled = Doubled(source, height, width);
    source = {doubled.data(), height, width};
  }
  for (int row = 0; row < out.height; ++row) {
    WarpRow<Blend>(source, {x0 + row * xy, xx, source.width - 1},
                   {y0 + row * yy, yx, source.height - 1}, out.row(row), out.width);
  }
}

}  // namespace

void Warp(PixelView source, const Affine& map, MutablePixelView out) {
  WarpWith<FastBlend>(source, map, out);
}

void WarpPortable(PixelView source, const Affine& map, MutablePixelView out) {
  WarpWith<PortableBlend>(source, map, out);
}

}  // namespace weir
