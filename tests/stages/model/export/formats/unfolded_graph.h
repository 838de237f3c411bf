// A model as the formats that are weights alone are given it, its weights drawn, and what they
// write of it.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "stages/model/backbones/load_backbone.h"
#include "stages/model/export/formats/export_format.h"
#include "stages/model/weights/weights_file.h"
#include "tests/stages/model/export/inference/exact_inference.h"
#include "tests/support/head_layers.h"
#include "tests/support/mobilenet_v2.h"
#include "tests/support/scratch_folder.h"

namespace weir {

// The batch norms' statistics are drawn too: RandomLayers() gives ones and zeros.
inline LayerReader DrawnBackbone(const Network& network) {
  return [drawn = RandomLayers(network, 5)](int layer) {
    ConvWeights weights = drawn(layer);
    for (std::size_t i = 0; i < weights.gamma.size(); ++i) {
      const auto number = static_cast<float>(i % 7 + static_cast<std::size_t>(layer));
      weights.gamma[i] = 0.5f + number / 64;
      weights.beta[i] = number / 32 - 1;
      weights.mean[i] = number / 16;
      weights.variance[i] = i % 7 == 0 ? 0 : number / 1000;
    }
    return weights;
  };
}

inline InferenceGraph UnfoldedGraph(Backbone backbone, Head head) {
  ModelConfig config;
  config.head = std::move(head);
  config.backbone.width = backbone.width();
  const auto classes = std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"ants", "b\"ees", "wasps"});
  const auto model = std::make_shared<const Model>(config, std::move(backbone), classes, 1);
  return InferenceGraph(model, DrawnBackbone(model->network()), DrawnHeadArray,
                        {.keeps_batch_norms = true});
}

inline ExportJob JobOf(const InferenceGraph& graph) {
  return {.graph = graph,
          .input = ExportInput::kFloat,
          .weir_version = "1.2.3",
          .weights_sha256 = "abc"};
}

// What the format writes, in `folder`.
inline std::filesystem::path Written(const ExportFormat& format, const InferenceGraph& graph,
                                     const ScratchFolder& folder, const std::string& name) {
  AtomicFile file(folder / name);
  format.write(JobOf(graph), file);
  file.Commit();
  return folder / name;
}

// All values of a tensor that has to be there.
inline std::vector<float> ReadTensor(WeightsFile& file, const std::string& name) {
  const TensorInfo* tensor = file.Find(name);
  if (!tensor) throw std::runtime_error("no tensor " + name);
  std::vector<float> values(static_cast<std::size_t>(tensor->values()));
  file.Read(*tensor, values);
  return values;
}

}  // namespace weir
