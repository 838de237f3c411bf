#include "stages/model/model.h"

#include <utility>

#include "framework/error.h"
#include "stages/files/class_names.h"
#include "stages/model/freeze.h"

namespace weir {
namespace {

void CheckCount(std::size_t classes) {
  if (classes == 0) {
    throw Error(ErrorKind::kConfig, "model: the data has no labels, and a classifier learns them",
                "Begin the pipeline with `directory`, `manifest` or labelled `webdataset` shards.");
  }
  if (classes == 1) {
    throw Error(ErrorKind::kConfig, "model: the data has 1 class, a classifier needs two",
                "Add pictures of another class, if the labels are read from the right place.");
  }
}

void CheckEnd(const Head& head, const Shape& output, std::size_t classes) {
  head.back()->CheckLast();
  if (output[0] != static_cast<std::int64_t>(classes)) {
    throw Error(ErrorKind::kConfig,
                "model.head: its last layer has " + std::to_string(output[0]) +
                    " units, the data has " + std::to_string(classes) + " classes",
                "Write `units: classes`, which follows the data.");
  }
}

std::size_t TrainedValues(const NetworkLayer& layer) {
  const std::size_t out = layer.out_channels;
  const std::size_t beside = layer.kind == NetworkLayer::Kind::kDense ? out : 2 * out;
  return out * (layer.in_channels / layer.groups) * layer.kernel * layer.kernel + beside;
}

}  // namespace

Model::Model(const ModelConfig& config, const Convention& convention, MapSize input,
             std::vector<std::string> classes, std::uint64_t seed)
    : Model(config, convention, input,
            std::make_shared<const std::vector<std::string>>(std::move(classes)), seed) {}

Model::Model(const ModelConfig& config, const Convention& convention, MapSize input,
             ClassNames classes, std::uint64_t seed)
    : Model(config,
            Backbone(FindBackbone(config.backbone.name), config.backbone.width, input, convention),
            std::move(classes), seed) {}

Model::Model(const ModelConfig& config, Backbone backbone, ClassNames classes, std::uint64_t seed)
    : config_(config),
      backbone_(std::move(backbone)),
      preprocessing_(config.preprocessing.value_or(network().convention().preprocessing)),
      classes_(classes ? std::move(classes) : std::make_shared<const std::vector<std::string>>()),
      seed_(seed),
      learns_(LearningLayers(config.frozen, backbone_)),
      prefix_layers_(PrefixLayers(network(), learns_)) {
  if (config_.head.empty()) throw Error(ErrorKind::kConfig, "model.head: it is empty", kEndOfHead);
  ResolveHead();
  const bool all_frozen = prefix_layers_ == network().size();
  if (all_frozen) prefix_pooling_ = config_.head.front()->pooling();
  first_head_layer_ = prefix_pooling_ == Pooling::kNone ? 0 : 1;
}

void Model::ResolveHead() {
  const MapSize map = network().output_size(network().size() - 1);
  Shape dims = {map.height, map.width, network().out_channels()};
  for (std::size_t i = 0; i < config_.head.size(); ++i) {
    std::shared_ptr<const HeadLayer>& layer = config_.head[i];
    if (layer->needs_classes()) {
      CheckCount(classes_->size());
      layer = layer->WithClasses(static_cast<int>(classes_->size()));
    }
    const HeadPlace place = {
        .text = "model.head[" + std::to_string(i) + "] (" + std::string(layer->name()) + ")",
        .is_last = i + 1 == config_.head.size()};
    head_dims_.push_back(dims);
    dims = layer->OutputDims(dims, place);
  }
  head_dims_.push_back(dims);
}

void Model::CheckClassifier() const {
  CheckCount(classes_->size());
  CheckClassNames("model", *classes_);
  CheckEnd(config_.head, head_dims_.back(), classes_->size());
}

Shape Model::feature_dims() const {
  if (prefix_pooling_ != Pooling::kNone) return {network().out_channels()};
  const int last = prefix_layers_ - 1;
  if (last < 0) return {network().input().height, network().input().width, 3};
  const MapSize map = network().output_size(last);
  return {map.height, map.width, network().layers()[last].out_channels};
}

bool Model::normalises_the_batch(int layer) const {
  return learns(layer) && network().layers()[layer].kind == NetworkLayer::Kind::kConv &&
         config_.backbone.batch_norm == BatchNormMode::kTrain;
}

std::size_t Model::trained_values() const {
  std::size_t values = 0;
  for (std::size_t i = 0; i < learns_.size(); ++i) {
    if (learns_[i]) values += TrainedValues(network().layers()[i]);
  }
  for (int i = 0; i < static_cast<int>(config_.head.size()); ++i) {
    for (const HeadArray& array : head_arrays(i)) {
      if (array.learns) values += array.values();
    }
  }
  return values;
}

}  // namespace weir
