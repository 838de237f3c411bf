// An InferenceGraph in int8 beside what `precision: int8` runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/random.h"
#include "stages/features/onednn/onednn_prefix.h"
#include "stages/features/onednn/quantization.h"
#include "stages/model/export/inference/inference_graph.h"
#include "tests/stages/model/backbones/drawn_networks.h"
#include "tests/stages/model/export/inference/exact_inference.h"
#include "tests/support/caught_error.h"
#include "tests/support/head_layers.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/whole_backbone.h"

namespace weir {
namespace {

using testing::HasSubstr;
using Maps = std::shared_ptr<const std::vector<MapStatistics>>;

std::vector<std::uint8_t> Picture(MapSize size) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * size.height * size.width);
  CounterRandom random(1, "picture");
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

std::vector<float> RunPrefix(const Network& network, const LayerReader& weights,
                             PrefixOptions options) {
  options.preprocessing = network.convention().preprocessing;
  const auto prefix = MakeOneDnnPrefix(network, weights, options);
  std::vector<float> features(prefix->output_values());
  prefix->Run(Picture(network.input()).data(), *prefix->MakeWorkspace(), features.data());
  return features;
}

// Measured on the picture.
Maps MapsOf(const Network& network, const LayerReader& weights) {
  MapMeter meter(network);
  RunPrefix(network, weights, {.last_layer = network.size() - 1, .watch = meter.Watcher()});
  return std::make_shared<const std::vector<MapStatistics>>(meter.Finish());
}

InferenceGraph Int8GraphOf(const Backbone& backbone, const LayerReader& weights, const Maps& maps) {
  ModelConfig config;
  config.head = {HeadAveragePooling(), HeadDenseOfClasses(Activation::kSoftmax)};
  const auto classes =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"ants", "bees"});
  return InferenceGraph(std::make_shared<const Model>(config, backbone, classes, 1), weights,
                        DrawnHeadArray, {.maps = maps});
}

// The bytes of the picture less those that stand for 0.
ExactValue BytesOf(const InferenceGraph& graph) {
  const MapSize size = graph.model().network().input();
  ExactValue picture{{size.height, size.width, 3}, {}};
  const std::vector<std::uint8_t> pixels = Picture(size);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    picture.values.push_back(pixels[i] - (*graph.picture_zero())[i % 3]);
  }
  return picture;
}

bool HasVnni() {
  const Backbone backbone = MobileNetV2(0.35, {32, 32}, Convention::Keras());
  const PrefixOptions options{.precision = Precision::kInt8};
  return CaughtError([&] {
           OneDnnPrefixFootprint(backbone.network(), options);
         }).find("needs a CPU with VNNI") == std::string::npos;
}

// How many of the values behind `layer` are other bytes than in the prefix, as a part of them.
double OtherBytes(const InferenceGraph& graph, const std::vector<ExactValue>& values,
                  const LayerReader& weights, const Maps& maps, int layer) {
  const Network& network = graph.model().network();
  const std::vector<float> features = RunPrefix(
      network, weights, {.last_layer = layer, .precision = Precision::kInt8, .maps = maps});
  const std::vector<double>& mine = values.at(network.layers()[layer].operation).values;
  EXPECT_EQ(features.size(), mine.size());
  const double scale = maps->at(layer).scale;
  int others = 0;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    others += std::abs(std::lround(features[i] / scale) - std::lround(mine[i] / scale)) > 0;
  }
  return static_cast<double>(others) / static_cast<double>(mine.size());
}

TEST(Int8Inference, GivesTheBytesThatThePrefixRuns) {
  if (!HasVnni()) GTEST_SKIP() << "this CPU has no VNNI";
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    const Backbone backbone = MobileNetV2(0.35, {32, 64}, convention);
    const BackboneWeights weights = UnevenBackbone(backbone.network());
    const Maps maps = MapsOf(backbone.network(), weights);
    const InferenceGraph graph = Int8GraphOf(backbone, weights, maps);
    const std::vector<ExactValue> values = InferExactly(graph, BytesOf(graph));
    for (int layer = 0; layer < backbone.network().size(); ++layer) {
      // A sum may lie so close to the middle of two bytes that float32 rounds it the other way.
      EXPECT_LT(OtherBytes(graph, values, weights, maps, layer), 1e-3)
          << backbone.network().layers()[layer].name;
    }
  }
}

TEST(Int8Inference, RefusesWhatBytesCannotDo) {
  for (const DrawnNetwork& drawn : DrawnNetworks(Convention::Keras())) {
    if (drawn.name != "a scale" && drawn.name != "hard_swish") continue;
    std::vector<MapStatistics> maps;
    for (const NetworkLayer& layer : drawn.network().layers()) {
      maps.push_back({.scale = 1, .means = std::vector<float>(layer.out_channels)});
    }
    EXPECT_THAT(CaughtError([&] {
                  Int8GraphOf(drawn.backbone, UnevenBackbone(drawn.network()),
                              std::make_shared<const std::vector<MapStatistics>>(maps));
                }),
                HasSubstr("int8 is of convolutions with relu, relu6 or nothing behind them"));
  }
}

}  // namespace
}  // namespace weir
