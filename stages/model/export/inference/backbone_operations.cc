#include "stages/model/export/inference/backbone_operations.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "framework/error.h"
#include "stages/model/quantized_conv.h"

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

// The constants of layer `index`, a convolution in int8, in the unit of its map: the kernel, its
// scales and the bias. What the bytes that stand for 0 make of a whole window goes into the bias of
// the first one, as they are taken off the picture.
ConstantValues Int8Constants(const Network& network, int index, FoldedConv folded,
                             const Preprocessing& preprocessing,
                             const std::vector<MapStatistics>& maps) {
  const NetworkLayer& layer = network.layers()[index];
  const QuantizedConv quantized =
      QuantizeLayer(network, index, std::move(folded), preprocessing, maps);
  const bool is_first = layer.input < 0;
  const double to = maps.at(index).scale;
  const double from = is_first ? 1 : maps.at(layer.input).scale;
  const std::size_t outputs = quantized.scales.size();
  const std::size_t values = quantized.kernel.size() / outputs;
  const std::size_t taps = static_cast<std::size_t>(layer.kernel) * layer.kernel;
  ConstantValues constants = {{quantized.kernel.begin(), quantized.kernel.end()}, {}, {}};
  const auto zero = is_first ? ZeroPixel(preprocessing) : std::array<std::uint8_t, 3>{};
  for (std::size_t out = 0; out < outputs; ++out) {
    const double scale = quantized.scales[out] * to / from;
    double bias = quantized.bias[out] * to;
    for (std::size_t i = 0; is_first && i < values; ++i) {
      bias += quantized.kernel[out * values + i] * scale * zero.at(i / taps);
    }
    constants[1].push_back(static_cast<float>(scale));
    constants[2].push_back(static_cast<float>(bias));
  }
  return constants;
}

class BackboneAppender {
 public:
  BackboneAppender(const Model& model, const LayerReader& weights, const InferenceOptions& options,
                   OperationList& list)
      : model_(model),
        backbone_(model.backbone()),
        network_(model.network()),
        weights_(weights),
        options_(options),
        list_(list) {}

  void Run() {
    for (int i = 0; i < static_cast<int>(network_.operations().size()); ++i) {
      made_.push_back(Append(i, network_.layer_of(i)));
    }
  }

 private:
  // What the network's operation `index` was made; the picture stays the picture.
  int Made(int index) const { return index < 0 ? inference::kPicture : made_[index]; }

  // The operation `index` is a part of `layer`.
  int Append(int index, int layer) {
    const Operation& operation = network_.operations()[index];
    const int input = Made(operation.input);
    if (std::holds_alternative<Conv>(operation.kind)) {
      if (options_.maps) return AppendInt8(index, layer, input);
      return options_.keeps_batch_norms ? AppendConvolutionAndNorm(operation, layer, input)
                                        : AppendFolded(operation, layer, input);
    }
    if (std::holds_alternative<Dense>(operation.kind)) return AppendDense(operation, layer, input);
    inference::Operation made{.name = operation.name,
                              .inputs = {input},
                              .kind = inference::Sum{},
                              .constants = {},
                              .output = OutputOf(layer),
                              .bytes = BytesBehind(index, layer)};
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

  int AppendInt8(int index, int layer, int input) {
    const Operation& operation = network_.operations()[index];
    const NetworkLayer& it = network_.layers()[layer];
    const LayerNames& names = backbone_.names(layer);
    const Shape channels = {it.out_channels};
    inference::Convolution convolution = ConvolutionOf(layer);
    convolution.is_int8 = true;
    return list_.Append(
        {.name = operation.name,
         .inputs = {input},
         .kind = convolution,
         .constants = {{names.kernel, KernelShape(it)},
                       {names.kernel + ".scale", channels},
                       {names.convolution + ".bias", channels}},
         .output = OutputOf(layer),
         .bytes = BytesBehind(index, layer)},
        [read = weights_, network = network_, layer, maps = options_.maps,
         preprocessing = model_.preprocessing()] {
          FoldedConv folded =
              Fold(network.layers()[layer], read(layer), network.convention().batch_norm_epsilon);
          return Int8Constants(network, layer, std::move(folded), preprocessing, *maps);
        });
  }

  // How the map behind the operation `index` is rounded, where that is the last of its layer and
  // the backbone computes in int8.
  std::optional<inference::Bytes> BytesBehind(int index, int layer) const {
    const NetworkLayer& it = network_.layers()[layer];
    if (!options_.maps || it.operation != index) return std::nullopt;
    const std::optional<float> ceiling = it.activation ? CeilingOf(*it.activation) : std::nullopt;
    if (it.kind != NetworkLayer::Kind::kConv || it.activation.has_value() != ceiling.has_value()) {
      throw Error(ErrorKind::kConfig,
                  "int8 is of convolutions with relu, relu6 or nothing behind them, and " +
                      it.name + " is another layer",
                  "Export it in float32: --precision float32.");
    }
    return inference::Bytes{options_.maps->at(layer).scale, it.activation.has_value()};
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

  const Model& model_;
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
  BackboneAppender(model, weights, options, list).Run();
}

}  // namespace weir
