// Backbones and pictures to compare two ways of running the same layers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "framework/random.h"
#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/backbone_weights.h"
#include "tests/support/whole_backbone.h"

namespace weir {

// uint8 [samples, H, W, 3].
inline std::vector<std::uint8_t> RandomPixels(const Network& model, int samples,
                                              std::uint64_t seed) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * samples * model.input().height *
                                   model.input().width);
  CounterRandom random(seed, "pixels");
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

// The largest difference, as a part of the largest value.
inline double Difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0;
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!std::isfinite(a[i])) return INFINITY;
    difference = std::max<double>(difference, std::abs(a[i] - b[i]));
    largest = std::max<double>(largest, std::abs(b[i]));
  }
  EXPECT_GT(largest, 0);
  return difference / largest;
}

}  // namespace weir
