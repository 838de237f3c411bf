#include "stages/kernels/warp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/stages/kernels/noise.h"
#include "tests/support/reference_tensors.h"
#include "tests/support/shared_data.h"

namespace weir {
namespace {

Pixels Warped(const Pixels& source, int height, int width, const Affine& map, int out_height,
              int out_width, decltype(Warp)* warp = Warp) {
  Pixels out(std::size_t{3} * out_height * out_width);
  warp({source.data(), height, width}, map, {out.data(), out_height, out_width});
  return out;
}

// Bilinear in double, by the textbook.
double Exact(const Pixels& source, int height, int width, double column, double row, int channel) {
  column = std::clamp(column, 0.0, width - 1.0);
  row = std::clamp(row, 0.0, height - 1.0);
  const int left = std::min(static_cast<int>(column), std::max(width - 2, 0));
  const int top = std::min(static_cast<int>(row), std::max(height - 2, 0));
  const auto level = [&](int y, int x) {
    return source[(std::size_t{3} * std::min(y, height - 1) * width) + 3 * std::min(x, width - 1) +
                  channel];
  };
  const double right = column - left;
  const double down = row - top;
  return (1 - down) * ((1 - right) * level(top, left) + right * level(top, left + 1)) +
         down * ((1 - right) * level(top + 1, left) + right * level(top + 1, left + 1));
}

TEST(Warp, ThePictureItselfComesBack) {
  const Pixels source = Noise(19, 23);
  EXPECT_EQ(Warped(source, 19, 23, Affine{}, 19, 23), source);
}

TEST(Warp, FlipsExactly) {
  const Pixels source = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};  // [2, 2, 3]
  const Affine columns = KerasMap({.flip_horizontal = true}, 2, 2);
  const Affine rows = KerasMap({.flip_vertical = true}, 2, 2);
  EXPECT_THAT(Warped(source, 2, 2, columns, 2, 2),
              testing::ElementsAre(4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9));
  EXPECT_THAT(Warped(source, 2, 2, rows, 2, 2),
              testing::ElementsAre(7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6));
}

TEST(Warp, HalvingTakesTheMeanOfFourPixels) {
  const Pixels source = {0,  0,  0,  100, 100, 100, 20, 20, 20, 40, 40, 40,
                         50, 50, 50, 50,  50,  50,  60, 60, 60, 80, 80, 80};  // [2, 4, 3]
  EXPECT_THAT(Warped(source, 2, 4, ResizeMap(2, 4, 1, 2), 1, 2),
              testing::ElementsAre(50, 50, 50, 50, 50, 50));
}

TEST(Warp, APlainColourStaysThatColour) {
  const Affine map = Compose(ResizeMap(10, 8, 24, 24), KerasMap({.theta = 33, .zx = 1.3}, 24, 24));
  for (int level = 0; level < 256; ++level) {
    const Pixels source(3 * 10 * 8, static_cast<std::uint8_t>(level));
    EXPECT_THAT(Warped(source, 10, 8, map, 24, 24), testing::Each(level));
  }
}

// Sizes and maps that reach every path: edges on all sides, rotation, tiny pictures.
struct Case {
  int height, width, out_height, out_width;
  KerasTransform transform;
};

const std::vector<Case> kCases = {
    {390, 490, 224, 224, {}},
    {390, 490, 224, 224, {.shear = 0.15, .zx = 0.9, .zy = 1.1, .flip_horizontal = true}},
    {390, 490, 224, 160, {.theta = -40, .tx = 20, .ty = 9, .shear = 10, .zx = 1.4, .zy = 1.3}},
    {50, 70, 224, 224, {.theta = 90, .flip_vertical = true}},
    {64, 64, 64, 64, {.tx = 500}},
    {64, 64, 64, 64, {.tx = -500, .ty = -500, .flip_horizontal = true}},
    {2, 2, 7, 5, {.theta = 10}},
    {1, 9, 6, 6, {}},
    {9, 1, 6, 6, {.zx = 1.2}},
    {1, 1, 3, 3, {.theta = 45}},
    {30, 40, 1, 1, {}},
    {30, 40, 1, 4, {.zy = 3}},
};

TEST(Warp, IsWithinOneGreyLevelOfExactArithmetic) {
  for (const Case& c : kCases) {
    const Pixels source = Noise(c.height, c.width);
    const Affine map = Compose(ResizeMap(c.height, c.width, c.out_height, c.out_width),
                               KerasMap(c.transform, c.out_height, c.out_width));
    const Pixels out = Warped(source, c.height, c.width, map, c.out_height, c.out_width);
    double worst = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const int row = static_cast<int>(i / 3) / c.out_width;
      const int column = static_cast<int>(i / 3) % c.out_width;
      const double exact = Exact(source, c.height, c.width, map.xx * column + map.xy * row + map.x0,
                                 map.yx * column + map.yy * row + map.y0, static_cast<int>(i % 3));
      worst = std::max(worst, std::abs(out[i] - exact));
    }
    EXPECT_LT(worst, 0.55) << c.height << " x " << c.width;  // rounding is 0.5 of it
  }
}

TEST(Warp, TheVectorPathGivesTheBitsOfThePortableOne) {
  for (const Case& c : kCases) {
    const Pixels source = Noise(c.height, c.width);
    const Affine map = Compose(ResizeMap(c.height, c.width, c.out_height, c.out_width),
                               KerasMap(c.transform, c.out_height, c.out_width));
    EXPECT_EQ(Warped(source, c.height, c.width, map, c.out_height, c.out_width),
              Warped(source, c.height, c.width, map, c.out_height, c.out_width, WarpPortable));
  }
}

TEST(Warp, WritesNothingBeyondItsPicture) {
  const Pixels source = Noise(20, 20);
  Pixels slab(3 * 8 * 8 + 4, 77);
  Warp({source.data(), 20, 20}, ResizeMap(20, 20, 8, 8), {slab.data(), 8, 8});
  EXPECT_THAT(Pixels(slab.end() - 4, slab.end()), testing::Each(77));
}

TEST(KerasMap, WarpsAsKerasDoes) {
  const auto path = SharedData("reference/augment_keras.safetensors");
  if (!path) GTEST_SKIP() << kNoSharedData;
  const ReferenceTensors reference(*path);
  const Pixels source = reference.Values<std::uint8_t>("image_u8");
  const std::vector<float> outputs = reference.Values<float>("outputs");
  const nlohmann::json cases = nlohmann::json::parse(reference.Metadata("cases"));
  ASSERT_EQ(reference.Shape("image_u8"), (std::vector<std::int64_t>{224, 224, 3}));
  ASSERT_EQ(outputs.size(), cases.size() * source.size());

  for (std::size_t i = 0; i < cases.size(); ++i) {
    const nlohmann::json& given = cases[i];
    const Affine map = KerasMap({.theta = given.value("theta", 0.0),
                                 .tx = given.value("tx", 0.0),
                                 .ty = given.value("ty", 0.0),
                                 .shear = given.value("shear", 0.0),
                                 .zx = given.value("zx", 1.0),
                                 .zy = given.value("zy", 1.0)},
                                224, 224);
    const Pixels out = Warped(source, 224, 224, map, 224, 224);
    std::size_t near = 0;
    for (std::size_t k = 0; k < out.size(); ++k) {
      near += std::abs(out[k] - outputs[i * out.size() + k]) <= 1;
    }
    EXPECT_GE(near, out.size() * 0.999) << given.dump();
  }
}

}  // namespace
}  // namespace weir
