#include "stages/model/export/inference/inference_graph.h"

#include <utility>

#include "stages/model/export/inference/backbone_operations.h"
#include "stages/model/quantized_conv.h"

namespace weir {

InferenceGraph::InferenceGraph(std::shared_ptr<const Model> model, const LayerReader& backbone,
                               const HeadReader& head, const InferenceOptions& options)
    : model_(std::move(model)) {
  model_->CheckClassifier();
  if (options.maps) picture_zero_ = ZeroPixel(model_->preprocessing());
  AppendBackbone(*model_, backbone, options, list_);
  AppendHead(model_, head, options, list_);
}

InferenceGraph OpenInferenceGraph(SavedModel saved, const InferenceOptions& options) {
  ModelSource& source = saved.source;
  auto model = std::make_shared<const Model>(source.config, source.convention, saved.input,
                                             std::move(saved.classes), /*seed=*/0);
  LayerReader backbone = source.open_backbone(*model);
  HeadReader head = [model, load = source.load_head](int layer, const HeadArray& array) {
    return load(*model, layer, array, [] { return std::vector<float>(); });
  };
  return InferenceGraph(std::move(model), backbone, head, options);
}

}  // namespace weir
