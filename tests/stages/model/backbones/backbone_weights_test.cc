#include "stages/model/backbones/backbone_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/mobilenet_v2.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

std::size_t Parameters(double width) {
  std::size_t count = 0;
  for (const ConvWeights& layer :
       RandomBackbone(MobileNetV2(width, {224, 224}, Convention::Keras()).network(), 1).layers) {
    count += layer.kernel.size() + layer.gamma.size() + layer.beta.size() + layer.mean.size() +
             layer.variance.size();
  }
  return count;
}

// MobileNetV2(include_top=False, alpha=...).count_params() in Keras.
TEST(RandomBackbone, HasAsManyParametersAsKerasCounts) {
  EXPECT_EQ(Parameters(1.0), 2257984u);
  EXPECT_EQ(Parameters(0.35), 410208u);
}

TEST(RandomBackbone, IsAFunctionOfItsSeed) {
  const Network model = MobileNetV2(0.35, {32, 32}, Convention::Keras()).network();
  const BackboneWeights first = RandomBackbone(model, 1);
  EXPECT_EQ(first.layers[7].kernel, RandomBackbone(model, 1).layers[7].kernel);
  EXPECT_NE(first.layers[7].kernel, RandomBackbone(model, 2).layers[7].kernel);
}

TEST(RandomBackbone, HasTheDeviationOfItsFanOut) {
  const Backbone model = MobileNetV2(1.0, {32, 32}, Convention::Keras());
  const BackboneWeights backbone = RandomBackbone(model.network(), 1);
  for (int layer : {model.Find("Conv_1"), model.Find("block_14_depthwise")}) {
    const NetworkLayer& it = model.network().layers()[layer];
    double sum = 0, squares = 0;
    for (float value : backbone.layers[layer].kernel) sum += value, squares += value * value;
    const double count = backbone.layers[layer].kernel.size();
    const double fan_out = it.is_depthwise() ? 9 : 1280;
    EXPECT_NEAR(sum / count / std::sqrt(2 / fan_out), 0, 0.05) << it.name;
    EXPECT_NEAR(squares / count / (2 / fan_out), 1, 0.05) << it.name;
  }
}

TEST(Fold, PutsTheBatchNormIntoTheConvolution) {
  const NetworkLayer layer{.in_channels = 2, .out_channels = 2};
  const ConvWeights weights{.kernel = {1, 2, 3, 4},
                            .gamma = {2, 0.5f},
                            .beta = {10, 20},
                            .mean = {1, -4},
                            .variance = {3, 15}};
  const FoldedConv folded = Fold(layer, weights, 1);
  EXPECT_EQ(folded.kernel, (std::vector<float>{1, 2, 0.375f, 0.5f}));
  EXPECT_EQ(folded.bias, (std::vector<float>{9, 20.5f}));
}

// A float32 quotient, or a factor rounded before it is used, gives other bits.
TEST(Fold, RoundsOnlyOnce) {
  const NetworkLayer layer{.in_channels = 1, .out_channels = 1};
  const ConvWeights weights{
      .kernel = {1.1f}, .gamma = {1.3f}, .beta = {0.7f}, .mean = {3e3f}, .variance = {7.7f}};
  const FoldedConv folded = Fold(layer, weights, 1e-3f);
  const double factor = double{1.3f} / std::sqrt(double{7.7f} + double{1e-3f});
  EXPECT_EQ(folded.kernel[0], static_cast<float>(double{1.1f} * factor));
  EXPECT_EQ(folded.bias[0], static_cast<float>(double{0.7f} - 3e3 * factor));
}

// The last: 160 x 1280 values of its kernel at half the width, and 4 x 1280 of its batch norm.
TEST(LayerReadingBytes, AreThreeTimesTheLargestLayer) {
  const Network model = MobileNetV2(0.5, {64, 64}, Convention::Torchvision()).network();
  EXPECT_EQ(LayerReadingBytes(model), 3 * (160 * 1280 + 4 * 1280) * sizeof(float));
}

}  // namespace
}  // namespace weir
