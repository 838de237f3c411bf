// Graphs of drawn models, as the tests of formats write them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

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
