#include "stages/kernels/nearest_warp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/random.h"

namespace weir {
namespace {

constexpr std::array<std::uint8_t, 3> kFill = {1, 2, 3};

// The same, place by place.
std::uint8_t Expected(const std::vector<std::uint8_t>& source, int height, int width,
                      const Affine& map, int row, int column, int channel) {
  const double x = std::floor(map.xx * column + map.xy * row + map.x0 + 0.5);
  const double y = std::floor(map.yx * column + map.yy * row + map.y0 + 0.5);
  if (x < 0 || y < 0 || x >= width || y >= height) return kFill[channel];
  return source[3 * (static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x)) + channel];
}

// Turned, sheared, moved along one axis or quite away, mirrored, or reduced to a line.
Affine AnyMap(CounterRandom& random, int height, int width) {
  const auto any = [&random](double most) { return random.Uniform(-most, most); };
  switch (random.Below(6)) {
    case 0:
      return {.xy = any(1), .x0 = any(5)};
    case 1:
      return {.yx = any(1), .y0 = any(5)};
    case 2:
      return {.x0 = any(60), .y0 = any(60)};
    case 3:
      return {-1, 0, width - 1.0, 0, -1, height - 1.0};
    case 4:
      return {0, any(2), any(9), any(2), 0, any(9)};
    default:
      return {any(1.5), any(1.5), any(50), any(1.5), any(1.5), any(50)};
  }
}

TEST(WarpNearest, IsWhatItIsPlaceByPlace) {
  constexpr std::uint8_t kGuard = 99;
  CounterRandom random(1, "maps");
  for (int trial = 0; trial < 2000; ++trial) {
    const int height = 1 + static_cast<int>(random.Below(20));
    const int width = 1 + static_cast<int>(random.Below(40));
    std::vector<std::uint8_t> source(std::size_t{3} * height * width);
    for (std::uint8_t& value : source) value = static_cast<std::uint8_t>(random.Next());
    const Affine map = AnyMap(random, height, width);
    std::vector<std::uint8_t> out(source.size() + 200, kGuard);
    WarpNearest({source.data(), height, width}, map, kFill, {out.data(), height, width});
    std::size_t i = 0;
    for (int row = 0; row < height; ++row) {
      for (int column = 0; column < width; ++column) {
        for (int c = 0; c < 3; ++c, ++i) {
          ASSERT_EQ(out[i], Expected(source, height, width, map, row, column, c))
              << trial << ": " << row << ", " << column;
        }
      }
    }
    ASSERT_TRUE(std::all_of(out.begin() + i, out.end(), [](auto v) { return v == kGuard; }));
  }
}

}  // namespace
}  // namespace weir
