#include "stages/kernels/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/stages/kernels/noise.h"

namespace weir {
namespace {

Pixels Resized(const Pixels& source, int height, int width, int out_height, int out_width,
               decltype(Resize)* resize = Resize, Flips flips = {}) {
  Pixels out(std::size_t{3} * out_height * out_width);
  resize({source.data(), height, width}, {out.data(), out_height, out_width}, flips);
  return out;
}

// The weights of an axis by the textbook: a triangle as wide as the scale, and no narrower than a
// pixel, cut off at the edge and made to add up to 1.
std::vector<double> Weights(int from, int to, int target) {
  const double scale = static_cast<double>(from) / to;
  const double centre = (target + 0.5) * scale - 0.5;
  std::vector<double> weights(from);
  double sum = 0;
  for (int i = 0; i < from; ++i) {
    weights[i] = std::max(0.0, 1 - std::abs(i - centre) / std::max(scale, 1.0));
    sum += weights[i];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

struct Case {
  int height, width, out_height, out_width;
};
const std::vector<Case> kCases = {
    {39, 49, 22, 22}, {40, 40, 20, 20}, {64, 90, 9, 31}, {50, 70, 75, 100},
    {17, 33, 17, 33}, {90, 20, 11, 40}, {1, 9, 6, 6},    {9, 1, 3, 3},
    {1, 1, 3, 5},     {30, 40, 1, 1},   {2, 2, 1, 1},    {3, 8, 2, 7},
};

TEST(Resize, IsWithinOneGreyLevelOfExactArithmetic) {
  for (const Case& c : kCases) {
    const Pixels source = Noise(c.height, c.width);
    const Pixels out = Resized(source, c.height, c.width, c.out_height, c.out_width);
    double worst = 0;
    for (int y = 0; y < c.out_height; ++y) {
      const std::vector<double> down = Weights(c.height, c.out_height, y);
      for (int x = 0; x < c.out_width; ++x) {
        const std::vector<double> across = Weights(c.width, c.out_width, x);
        for (int channel = 0; channel < 3; ++channel) {
          double exact = 0;
          for (int i = 0; i < c.height; ++i) {
            for (int j = 0; j < c.width; ++j) {
              exact += down[i] * across[j] * source[3 * (i * c.width + j) + channel];
            }
          }
          worst = std::max(worst, std::abs(out[3 * (y * c.out_width + x) + channel] - exact));
        }
      }
    }
    EXPECT_LT(worst, 0.6) << c.height << " x " << c.width;  // rounding is 0.5 of it
  }
}

TEST(Resize, TheVectorPathGivesTheBitsOfThePortableOne) {
  for (const Case& c : kCases) {
    const Pixels source = Noise(c.height, c.width);
    EXPECT_EQ(Resized(source, c.height, c.width, c.out_height, c.out_width),
              Resized(source, c.height, c.width, c.out_height, c.out_width, ResizePortable));
  }
}

TEST(Resize, AMirroredResultIsTheMirroredPicture) {
  for (const Case& c : kCases) {
    const Pixels source = Noise(c.height, c.width);
    const Pixels out = Resized(source, c.height, c.width, c.out_height, c.out_width);
    for (const Flips flips : {Flips{true, false}, Flips{false, true}, Flips{true, true}}) {
      const Pixels mirrored =
          Resized(source, c.height, c.width, c.out_height, c.out_width, Resize, flips);
      for (int y = 0; y < c.out_height; ++y) {
        for (int x = 0; x < c.out_width; ++x) {
          const int from_y = flips.vertical ? c.out_height - 1 - y : y;
          const int from_x = flips.horizontal ? c.out_width - 1 - x : x;
          for (int channel = 0; channel < 3; ++channel) {
            ASSERT_EQ(mirrored[3 * (y * c.out_width + x) + channel],
                      out[3 * (from_y * c.out_width + from_x) + channel])
                << c.height << " x " << c.width << " at " << y << ", " << x;
          }
        }
      }
    }
  }
}

TEST(Resize, ThePictureItselfComesBack) {
  const Pixels source = Noise(19, 23);
  EXPECT_EQ(Resized(source, 19, 23, 19, 23), source);
}

TEST(Resize, APlainColourStaysThatColour) {
  for (int level = 0; level < 256; ++level) {
    const Pixels source(3 * 31 * 45, static_cast<std::uint8_t>(level));
    EXPECT_THAT(Resized(source, 31, 45, 13, 14), testing::Each(level));
    EXPECT_THAT(Resized(source, 31, 45, 40, 50), testing::Each(level));
  }
}

TEST(Resize, StripesTooFineToBeShownAreGrey) {
  Pixels source(3 * 100 * 100);
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = i / 3 % 2 == 0 ? 255 : 0;
  const Pixels out = Resized(source, 100, 100, 40, 40);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t column = i / 3 % 40;
    if (column > 0 && column < 39) {
      EXPECT_NEAR(out[i], 127.5, 12) << i;
    }
  }
}

TEST(Resize, WritesNothingBeyondItsPicture) {
  const Pixels source = Noise(20, 20);
  Pixels slab(3 * 8 * 8 + 4, 77);
  Resize({source.data(), 20, 20}, {slab.data(), 8, 8});
  EXPECT_THAT(Pixels(slab.end() - 4, slab.end()), testing::Each(77));
}

}  // namespace
}  // namespace weir
