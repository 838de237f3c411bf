#include "stages/model/model.h"

#include <utility>

#include "framework/error.h"
#include "stages/files/class_names.h"
#include "stages/model/freeze.h"

namespace weir {
namespace {

using Dims = std::vector<std::int64_t>;
using Kind = HeadLayer::Kind;

constexpr std::int64_t kMostValuesOfALayer = std::int64_t{1} << 30;  // 4 GiB of float32

std::int64_t Product(const Dims& dims) {
  std::int64_t product = 1;
  for (std::int64_t size : dims) product *= size;
  return product;
}

std::string ToText(const Dims& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(dims[i]);
  }
  return text + "]";
}

// `place` is "model.head[2] (dense)".
void CheckDense(const HeadLayer& layer, const Dims& input, bool last, const std::string& place) {
  if (input.size() > 1) {
    throw Error(
        ErrorKind::kConfig,
        place + ": a dense layer reads a vector, but a map of " + ToText(input) + " arrives here",
        "Add global_average_pooling or flatten before it.");
  }
  if (layer.units < 1) {
    throw Error(ErrorKind::kConfig, place + ": " + std::to_string(layer.units) + " units",
                "Give it at least one unit, or write `units: classes`.");
  }
  if (input[0] > kMostValuesOfALayer / layer.units) {
    throw Error(ErrorKind::kConfig,
                place + ": " + std::to_string(input[0]) + " inputs times " +
                    std::to_string(layer.units) + " units are more than 2^30 weights",
                "Pool before it, or give it fewer units.");
  }
  if (layer.activation == Activation::kSoftmax && !last) {
    throw Error(ErrorKind::kConfig, place + ": softmax before the last layer",
                "Keep softmax for the last layer; relu is usual before it.");
  }
}

Dims OutputDims(const HeadLayer& layer, const Dims& input, bool last, const std::string& place) {
  switch (layer.kind) {
    case Kind::kGlobalAveragePooling:
    case Kind::kGlobalMaxPooling:
      if (input.size() != 3) {
        throw Error(ErrorKind::kConfig, place + ": there is no map left to pool",
                    "Remove it: what arrives here is a vector already.");
      }
      return {input[2]};
    case Kind::kFlatten:
      return {Product(input)};
    case Kind::kDropout:
      if (!(layer.rate >= 0 && layer.rate < 1)) {
        throw Error(ErrorKind::kConfig, place + ": the rate is not in [0, 1)",
                    "Give the fraction of values to drop, such as 0.2.");
      }
      return input;
    case Kind::kBatchNorm:
      return input;
    case Kind::kDense:
      CheckDense(layer, input, last, place);
      return {layer.units};
  }
  return input;
}

constexpr const char* kEndOfHead = "End it with dense: {units: classes, activation: softmax}.";

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

void CheckEnd(const std::vector<HeadLayer>& head, const Dims& output, std::size_t classes) {
  const HeadLayer& last = head.back();
  if (last.kind != Kind::kDense) {
    throw Error(ErrorKind::kConfig,
                "model.head: it ends with " + std::string(Name(last.kind)) +
                    ", which gives no value a class",
                kEndOfHead);
  }
  if (output[0] != static_cast<std::int64_t>(classes)) {
    throw Error(ErrorKind::kConfig,
                "model.head: its last layer has " + std::to_string(output[0]) +
                    " units, the data has " + std::to_string(classes) + " classes",
                "Write `units: classes`, which follows the data.");
  }
  if (last.activation != Activation::kSoftmax && last.activation != Activation::kLinear) {
    throw Error(ErrorKind::kConfig,
                "model.head: the activation of its last layer is " +
                    std::string(Name(last.activation)) + ", which gives no class probabilities",
                "Use softmax, or linear (logits), which learns the same.");
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
  const Kind first = config_.head.front().kind;
  if (all_frozen && first == Kind::kGlobalAveragePooling) prefix_pooling_ = Pooling::kAverage;
  if (all_frozen && first == Kind::kGlobalMaxPooling) prefix_pooling_ = Pooling::kMax;
  first_head_layer_ = prefix_pooling_ == Pooling::kNone ? 0 : 1;
}

void Model::ResolveHead() {
  const MapSize map = network().output_size(network().size() - 1);
  Dims dims = {map.height, map.width, network().out_channels()};
  for (std::size_t i = 0; i < config_.head.size(); ++i) {
    HeadLayer& layer = config_.head[i];
    if (layer.kind == Kind::kDense && layer.units == kUnitsOfClasses) {
      CheckCount(classes_->size());
      layer.units = static_cast<int>(classes_->size());
    }
    const std::string place =
        "model.head[" + std::to_string(i) + "] (" + std::string(Name(layer.kind)) + ")";
    head_dims_.push_back(dims);
    dims = OutputDims(layer, dims, i + 1 == config_.head.size(), place);
  }
  output_dims_ = dims;
}

void Model::CheckClassifier() const {
  CheckCount(classes_->size());
  CheckClassNames("model", *classes_);
  CheckEnd(config_.head, output_dims_, classes_->size());
}

std::vector<std::int64_t> Model::feature_dims() const {
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
  for (std::size_t i = 0; i < config_.head.size(); ++i) {
    const HeadLayer& layer = config_.head[i];
    const std::size_t in = head_dims_[i].back();
    if (layer.kind == Kind::kDense) values += (in + 1) * layer.units;
    if (layer.kind == Kind::kBatchNorm) values += 2 * in;
  }
  return values;
}

}  // namespace weir
