#include "stages/model/export/inference/backbone_operations.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weir {
namespace {

inference::Function FunctionOf(Nonlinearity function) {
  switch (function) {
    case Nonlinearity::kRelu:
      return inference::Function::kRelu;
    case Nonlinearity::kRelu6:
      return inference::Function::kRelu6;
    case Nonlinearity::kHardSigmoid:
      return inference::Function::kHardSigmoid;
    case Nonlinearity::kHardSwish:
      return inference::Function::kHardSwish;
    case Nonlinearity::kSigmoid:
      return inference::Function::kSigmoid;
    case Nonlinearity::kSilu:
      return inference::Function::kSilu;
  }
  return inference::Function::kRelu;
}

class BackboneAppender {
 public:
  BackboneAppender(const Backbone& backbone, const LayerReader& weights,
                   const InferenceOptions& options, OperationList& list)
      : backbone_(backbone),
        network_(backbone.network()),
        weights_(weights),
        options_(options),
        list_(list) {}

  void Run() {
    for (int i = 0; i < static_cast<int>(network_.operations().size()); ++i) {
      made_.push_back(Append(network_.operations()[i], network_.layer_of(i)));
    }
  }

 private:
  // What the network's operation `index` was made; the picture stays the picture.
  int Made(int index) const { return index < 0 ? inference::kPicture : made_[index]; }

  // The operation is a part of `layer`.
  int Append(const Operation& operation, int layer) {
    const int input = Made(operation.input);
    if (std::holds_alternative<Conv>(operation.kind)) {
      return options_.keeps_batch_norms ? AppendConvolutionAndNorm(operation, layer, input)
                                        : AppendFolded(operation, layer, input);
    }
    if (std::holds_alternative<Dense>(operation.kind)) return AppendDense(operation, layer, input);
    inference::Operation made{.name = operation.name,
                              .inputs = {input},
                              .kind = inference::Sum{},
                              .constants = {},
                              .output = OutputOf(layer)};
    if (const auto* activate = std::get_if<Activate>(&operation.kind)) {
      made.kind = inference::Activation{FunctionOf(activate->function)};
    } else if (const auto* add = std::get_if<Add>(&operation.kind)) {
      made.inputs.push_back(Made(add->from));
    } else if (const auto* scale = std::get_if<Scale>(&operation.kind)) {
      made.kind = inference::Product{};
      made.inputs.push_back(Made(scale->from));
    } else if (const auto* pool = std::get_if<MaxPool>(&operation.kind)) {
      made.kind = inference::MaxPool{pool->kernel, pool->stride, network_.pads(layer)};
    } else {
      made.kind = inference::GlobalPool{Pooling::kAverage};
    }
    return list_.Append(std::move(made));
  }

  int AppendFolded(const Operation& operation, int layer, int input) {
    const NetworkLayer& it = network_.layers()[layer];
    const LayerNames& names = backbone_.names(layer);
    return list_.Append({.name = operation.name,
                         .inputs = {input},
                         .kind = ConvolutionOf(layer),
                         .constants = {{names.kernel, KernelShape(it)},
                                       {names.convolution + ".bias", {it.out_channels}}},
                         .output = OutputOf(layer)},
                        [read = weights_, it, layer, epsilon = Epsilon()] {
                          FoldedConv folded = Fold(it, read(layer), epsilon);
                          return ConstantValues{std::move(folded.kernel), std::move(folded.bias)};
                        });
  }

  int AppendConvolutionAndNorm(const Operation& operation, int layer, int input) {
    const NetworkLayer& it = network_.layers()[layer];
    const LayerNames& names = backbone_.names(layer);
    const Shape channels = {it.out_channels};
    const int convolution =
        list_.Append({.name = operation.name,
                      .inputs = {input},
                      .kind = ConvolutionOf(layer),
                      .constants = {{names.kernel, KernelShape(it)}},
                      .output = OutputOf(layer)},
                     [read = weights_, layer] { return ConstantValues{read(layer).kernel}; });
    return list_.Append({.name = names.batch_norm,
                         .inputs = {convolution},
                         .kind = inference::BatchNorm{Epsilon()},
                         .constants = {{names.gamma, channels},
                                       {names.beta, channels},
                                       {names.mean, channels},
                                       {names.variance, channels}},
                         .output = OutputOf(layer)},
                        [read = weights_, layer] {
                          ConvWeights weights = read(layer);
                          return ConstantValues{std::move(weights.gamma), std::move(weights.beta),
                                                std::move(weights.mean),
                                                std::move(weights.variance)};
                        });
  }

  // What it reads is [1, 1, C], so it is a convolution of one pixel.
  int AppendDense(const Operation& operation, int layer, int input) {
    const NetworkLayer& it = network_.layers()[layer];
    const LayerNames& names = backbone_.names(layer);
    return list_.Append(
        {.name = operation.name,
         .inputs = {input},
         .kind = inference::Convolution{},
         .constants = {{names.kernel, KernelShape(it)}, {names.beta, {it.out_channels}}},
         .output = OutputOf(layer)},
        [read = weights_, layer] {
          ConvWeights weights = read(layer);
          return ConstantValues{std::move(weights.kernel), std::move(weights.beta)};
        });
  }

  inference::Convolution ConvolutionOf(int layer) const {
    const NetworkLayer& it = network_.layers()[layer];
    return {it.kernel, it.stride, it.groups, it.dilation, network_.pads(layer)};
  }

  static Shape KernelShape(const NetworkLayer& layer) {
    return {layer.out_channels, layer.in_channels / layer.groups, layer.kernel, layer.kernel};
  }

  Shape OutputOf(int layer) const {
    const MapSize size = network_.output_size(layer);
    return {size.height, size.width, network_.layers()[layer].out_channels};
  }

  float Epsilon() const { return network_.convention().batch_norm_epsilon; }

  const Backbone& backbone_;
  const Network& network_;
  const LayerReader& weights_;
  const InferenceOptions& options_;
  OperationList& list_;
  std::vector<int> made_;  // by Network::operations(): the index in the list
};

}  // namespace

void AppendBackbone(const Model& model, const LayerReader& weights, const InferenceOptions& options,
                    OperationList& list) {
  BackboneAppender(model.backbone(), weights, options, list).Run();
}

}  // namespace weir
