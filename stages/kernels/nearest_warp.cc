#include "stages/kernels/nearest_warp.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "stages/pixel_view.h"

namespace weir {
namespace {

// Places are whole pixels and 32 bits of fraction.
constexpr std::int64_t kPixel = std::int64_t{1} << 32;

std::int64_t Fixed(double pixels) { return std::llround(std::ldexp(pixels, 32)); }

// `count` above 0; upwards.
std::int64_t DividedUp(std::int64_t value, std::int64_t count) {
  return value / count + (value % count > 0);
}

// Where along one axis of the source a row of the result goes: `step` further with each column.
struct Track {
  std::int64_t start;  // half a pixel on, so that the whole part is the nearest pixel
  std::int64_t step;

  std::int64_t At(int column) const { return (start + column * step) >> 32; }

  // Narrows [begin, end) to the columns whose pixel is one of `size`.
  void Inside(int size, std::int64_t& begin, std::int64_t& end) const {
    const std::int64_t limit = size * kPixel;
    if (step == 0) {
      if (start < 0 || start >= limit) end = 0;
      return;
    }
    const std::int64_t first = step > 0 ? start : limit - 1 - start;  // seen from where it goes up
    begin = std::max(begin, DividedUp(-first, std::abs(step)));
    end = std::min(end, DividedUp(limit - first, std::abs(step)));
  }
};

std::uint8_t* Fill(std::uint8_t* to, std::int64_t pixels, const std::array<std::uint8_t, 3>& fill) {
  for (std::int64_t i = 0; i < pixels; ++i, to += 3) std::memcpy(to, fill.data(), 3);
  return to;
}

}  // namespace

void WarpNearest(PixelView source, const Affine& map, const std::array<std::uint8_t, 3>& fill,
                 MutablePixelView out) {
  const int width = source.width;
  const std::int64_t xx = Fixed(map.xx), xy = Fixed(map.xy), x0 = Fixed(map.x0) + kPixel / 2;
  const std::int64_t yx = Fixed(map.yx), yy = Fixed(map.yy), y0 = Fixed(map.y0) + kPixel / 2;
  for (int row = 0; row < source.height; ++row) {
    const Track x{x0 + row * xy, xx}, y{y0 + row * yy, yx};
    std::int64_t begin = 0, end = width;
    x.Inside(width, begin, end);
    y.Inside(source.height, begin, end);
    begin = std::min<std::int64_t>(begin, width);
    end = std::max(begin, end);  // nothing where they crossed
    std::uint8_t* to = Fill(out.row(row), begin, fill);
    const auto at = [&](std::int64_t column) {
      const int i = static_cast<int>(column);
      return source.pixels + y.At(i) * source.row_bytes + 3 * x.At(i);
    };
    if (xx == kPixel && yx == 0) {  // a part of one row, as it is
      const std::size_t bytes = 3 * static_cast<std::size_t>(end - begin);
      if (bytes > 0) std::memcpy(to, at(begin), bytes);
      to += bytes;
    } else {
      for (std::int64_t column = begin; column < end; ++column, to += 3) {
        std::memcpy(to, at(column), 3);
      }
    }
    Fill(to, width - end, fill);
  }
}

}  // namespace weir
