// Graphs of drawn models, as the tests of formats write them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/random.h"
#include "stages/files/atomic_file.h"
#include "stages/model/export/formats/export_format.h"
#include "stages/model/export/inference/inference_graph.h"
#include "tests/stages/model/backbones/drawn_networks.h"
#include "tests/stages/model/export/inference/exact_inference.h"
#include "tests/support/file_text.h"
#include "tests/support/head_layers.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/scratch_folder.h"

namespace weir {

inline const Model::ClassNames kClasses =
    std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"ants", "b\"ees"});

inline const Head kUsualHead = {HeadAveragePooling(), HeadDenseOfClasses(Activation::kSoftmax)};

// Between them they have every layer of a head, and every function.
inline const Head kLongHead = {HeadBatchNorm(),
                               HeadMaxPooling(),
                               HeadDense(5, Activation::kTanh),
                               HeadBatchNorm(),
                               HeadDense(4, Activation::kRelu6),
                               HeadDenseOfClasses()};
inline const Head kFlatHead = {HeadFlatten(), HeadBatchNorm(), HeadDense(5, Activation::kSigmoid),
                               HeadDense(4, Activation::kRelu), HeadDenseOfClasses()};

inline InferenceGraph GraphOf(Backbone backbone, Head head = kUsualHead,
                              bool keeps_batch_norms = false) {
  ModelConfig config;
  config.head = std::move(head);
  const auto model = std::make_shared<const Model>(config, std::move(backbone), kClasses, 1);
  return InferenceGraph(model, RandomLayers(model->network(), 5), DrawnHeadArray,
                        {.keeps_batch_norms = keeps_batch_norms});
}

inline Backbone Small(const Convention& convention = Convention::Keras()) {
  return MobileNetV2(0.35, {64, 96}, convention);
}

// In int8 with those maps, or with such as are all of one scale.
inline InferenceGraph Int8GraphOf(Backbone backbone, std::vector<MapStatistics> maps = {}) {
  ModelConfig config;
  config.head = kUsualHead;
  const auto model = std::make_shared<const Model>(config, std::move(backbone), kClasses, 1);
  for (int i = static_cast<int>(maps.size()); i < model->network().size(); ++i) {
    const int channels = model->network().layers()[i].out_channels;
    maps.push_back({.scale = 0.02f, .means = std::vector<float>(channels)});
  }
  return InferenceGraph(model, RandomLayers(model->network(), 5), DrawnHeadArray,
                        {.maps = std::make_shared<const std::vector<MapStatistics>>(maps)});
}

// A picture in bytes, [H, W, 3].
inline std::vector<std::uint8_t> DrawnPicture(MapSize size, int index) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * size.height * size.width);
  CounterRandom random(1, "picture", 0, index);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

// What it is as the network is fed it, [H, W, 3].
inline ExactValue FedOf(const InferenceGraph& graph, const std::vector<std::uint8_t>& pixels) {
  const MapSize size = graph.model().network().input();
  const auto& [scale, offset] = graph.model().preprocessing();
  ExactValue fed{{size.height, size.width, 3}, {}};
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t c = i % 3;
    fed.values.push_back(graph.picture_zero() ? pixels[i] - (*graph.picture_zero()).at(c)
                                              : pixels[i] * double{scale[c]} + offset[c]);
  }
  return fed;
}

// The bytes of the file.
inline std::string FileOf(const ExportFormat& format, const InferenceGraph& graph,
                          ExportInput input = ExportInput::kUint8) {
  const ScratchFolder folder;
  AtomicFile file(folder / "model");
  format.write({.graph = graph, .input = input, .weir_version = "1.2.3", .weights_sha256 = "abc"},
               file);
  file.Commit();
  return FileText(folder / "model");
}

}  // namespace weir
