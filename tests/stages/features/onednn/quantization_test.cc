#include "stages/features/onednn/quantization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "framework/random.h"
#include "stages/model/quantized_conv.h"
#include "tests/support/caught_error.h"
#include "tests/support/mobilenet_v2.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

const Backbone& SmallBackbone() {
  static const Backbone backbone = MobileNetV2(0.35, {32, 32}, Convention::Keras());
  return backbone;
}

const Network& Small() { return SmallBackbone().network(); }

// Shows a map of which each channel is constant.
void Show(MapMeter& meter, int layer, const std::vector<float>& channels) {
  const MapSize size = Small().output_size(layer);
  std::vector<float> map;
  for (int pixel = 0; pixel < size.height * size.width; ++pixel) {
    map.insert(map.end(), channels.begin(), channels.end());
  }
  meter.Watcher()(layer, map.data());
}

// A meter that has seen 1 everywhere.
void ShowOnes(MapMeter& meter) {
  for (std::size_t i = 0; i < Small().layers().size(); ++i) {
    Show(meter, static_cast<int>(i), std::vector<float>(Small().layers()[i].out_channels, 1));
  }
}

TEST(MapMeter, GivesAMapTheScaleOfItsLargestValueAndEachChannelItsMean) {
  MapMeter meter(Small());
  ShowOnes(meter);
  std::vector<float> channels(16, 4);
  channels[3] = 0;
  Show(meter, 0, channels);
  const MapStatistics map = meter.Finish()[0];
  EXPECT_THAT(map.scale, FloatEq(4 / 255.f));
  EXPECT_THAT(map.means[0], FloatEq(2.5f));
  EXPECT_THAT(map.means[3], FloatEq(0.5f));
}

TEST(MapMeter, SeesHowFarBelow0AMapGetsAndLeavesADeadOneAScale) {
  MapMeter meter(Small());
  const int project = SmallBackbone().Find("expanded_conv_project");
  ShowOnes(meter);
  Show(meter, project, std::vector<float>(8, -16));
  EXPECT_THAT(meter.Finish()[project].scale, FloatEq(16 / 127.f));

  MapMeter dead(Small());
  for (std::size_t i = 0; i < Small().layers().size(); ++i) {
    Show(dead, static_cast<int>(i), std::vector<float>(Small().layers()[i].out_channels, 0));
  }
  for (const MapStatistics& map : dead.Finish()) EXPECT_EQ(map.scale, 1);
}

TEST(MapMeter, GivesMapsThatAreAddedToOneAnotherTheSameScale) {
  const std::vector<NetworkLayer>& layers = Small().layers();
  for (std::size_t last = 0; last < layers.size(); ++last) {
    if (layers[last].added < 0) continue;
    MapMeter meter(Small());
    ShowOnes(meter);
    Show(meter, static_cast<int>(last), std::vector<float>(layers[last].out_channels, 9));
    const auto maps = meter.Finish();
    EXPECT_THAT(maps[last].scale, FloatEq(9 / 127.f));
    EXPECT_EQ(maps[last].scale, maps[layers[last].added].scale);
    EXPECT_NE(maps[last].means, maps[layers[last].added].means);
  }
}

// A layer, numbers for it and for the maps around it.
struct Drawn {
  explicit Drawn(const NetworkLayer& of) : layer(of) {
    CounterRandom random(3, layer.name);
    const std::size_t inputs = layer.in_channels / layer.groups;
    for (std::size_t i = 0; i < layer.out_channels * inputs * layer.kernel * layer.kernel; ++i) {
      folded.kernel.push_back(static_cast<float>(random.Normal()));
    }
    for (int i = 0; i < layer.in_channels; ++i) {
      from.means.push_back(static_cast<float>(random.Uniform(0, 3)));
    }
    for (int i = 0; i < layer.out_channels; ++i) {
      folded.bias.push_back(static_cast<float>(random.Normal()));
    }
  }

  // The input channel of a value of the kernel.
  std::size_t InputOf(std::size_t value) const {
    const std::size_t taps = layer.kernel * layer.kernel;
    const std::size_t inputs = layer.in_channels / layer.groups;
    return layer.groups > 1 ? value / taps : value / taps % inputs;
  }

  NetworkLayer layer;
  FoldedConv folded;
  MapStatistics from{.scale = 0.03f, .means = {}};
  float to = 0.05f;
};

class QuantizedLayer : public testing::TestWithParam<const char*> {};

TEST_P(QuantizedLayer, IsTheLayerToHalfAStepAndMakesTheSameMean) {
  const Drawn drawn(Small().layers()[SmallBackbone().Find(GetParam())]);
  const QuantizedConv quantized = Quantize(drawn.layer, drawn.folded, drawn.from, drawn.to);
  const std::size_t outputs = drawn.folded.bias.size();
  const std::size_t values = drawn.folded.kernel.size() / outputs;
  for (std::size_t out = 0; out < outputs; ++out) {
    int largest = 0;
    double mean = drawn.folded.bias[out], mean_of_bytes = quantized.bias[out];
    for (std::size_t i = out * values; i < (out + 1) * values; ++i) {
      const std::size_t in = drawn.InputOf(i);
      const double exact = drawn.folded.kernel[i] * drawn.from.scale / drawn.to;
      EXPECT_NEAR(quantized.kernel[i] * quantized.scales[out], exact,
                  quantized.scales[out] * 0.5001);
      largest = std::max(largest, std::abs(quantized.kernel[i]));
      mean += drawn.folded.kernel[i] * drawn.from.means[in];
      mean_of_bytes +=
          quantized.kernel[i] * quantized.scales[out] * drawn.from.means[in] / drawn.from.scale;
    }
    EXPECT_EQ(largest, 127);
    EXPECT_NEAR(mean_of_bytes * drawn.to, mean, 1e-4 * (1 + std::abs(mean)));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, QuantizedLayer,
                         testing::Values("Conv1", "block_1_expand", "block_1_depthwise",
                                         "block_1_project"));

TEST(QuantizedPicture, HasThePreprocessingInKernelAndBias) {
  Drawn drawn(Small().layers()[0]);
  const Preprocessing preprocessing{{0.5f, 0.25f, 2}, {-1, 3, -7}};
  const std::size_t values = drawn.folded.kernel.size() / drawn.folded.bias.size();
  const std::array<float, 3> pixel = {10, 20, 30};
  double expected = drawn.folded.bias[0];
  for (std::size_t i = 0; i < values; ++i) {
    const std::size_t c = drawn.InputOf(i);
    expected +=
        drawn.folded.kernel[i] * (pixel[c] * preprocessing.scale[c] + preprocessing.offset[c]);
  }
  FoldPreprocessing(preprocessing, drawn.folded);
  double folded = drawn.folded.bias[0];
  for (std::size_t i = 0; i < values; ++i) {
    folded += drawn.folded.kernel[i] * pixel[drawn.InputOf(i)];
  }
  EXPECT_NEAR(folded, expected, 1e-3);
}

TEST(QuantizedPicture, IsPaddedWithThePixelThatComesClosestTo0) {
  EXPECT_THAT(ZeroPixel(Convention::Keras().preprocessing), ElementsAre(127, 127, 127));
  EXPECT_THAT(ZeroPixel(Convention::Torchvision().preprocessing), ElementsAre(124, 116, 104));
  EXPECT_THAT(ZeroPixel({{1 / 255.f, 1 / 255.f, 1 / 255.f}, {0, 0, 0}}), ElementsAre(0, 0, 0));
  EXPECT_EQ(CaughtError([] {
              ZeroPixel({{1, 1, 1}, {0, 3, 0}});
            }),
            "precision: int8 reads pictures as they are, and this preprocessing makes 0, which "
            "lies around them, of no pixel\nSet precision: float32, or another preprocessing.");
}

}  // namespace
}  // namespace weir
