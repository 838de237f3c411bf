// Backbones and pictures to compare two ways of running the same layers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "framework/random.h"
#include "stages/model/backbone_weights.h"
#include "stages/model/mobilenet_v2.h"
#include "tests/support/whole_backbone.h"

namespace weir {

// Random weights whose batch norms are not the identity.
inline BackboneWeights UnevenBackbone(const MobileNetV2& model) {
  BackboneWeights backbone = RandomBackbone(model, 5);
  for (std::size_t i = 0; i < backbone.layers.size(); ++i) {
    CounterRandom random(5, "batch norm", 0, i);
    ConvWeights& layer = backbone.layers[i];
    for (float& value : layer.gamma) value = static_cast<float>(random.Uniform(0.6, 1.1));
    for (float& value : layer.beta) value = static_cast<float>(random.Uniform(-0.5, 1.0));
    for (float& value : layer.mean) value = static_cast<float>(random.Uniform(-0.2, 0.2));
    for (float& value : layer.variance) value = static_cast<float>(random.Uniform(0.5, 2.0));
  }
  return backbone;
}

// uint8 [samples, H, W, 3].
inline std::vector<std::uint8_t> RandomPixels(const MobileNetV2& model, int samples,
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
