#include "stages/model/backbones/network.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "framework/error.h"

namespace weir {
namespace {

using Kind = NetworkLayer::Kind;

[[noreturn]] void Refuse(const Operation& operation, const std::string& what) {
  throw Error(ErrorKind::kInternal, "the network's operation " + operation.name + " " + what);
}

// The index of the second map that an operation reads; -1 where it reads one.
int SecondInput(const Operation& operation) {
  if (const auto* add = std::get_if<Add>(&operation.kind)) return add->from;
  if (const auto* scale = std::get_if<Scale>(&operation.kind)) return scale->from;
  return -1;
}

bool ReadsTwo(const Operation& operation) {
  return std::holds_alternative<Add>(operation.kind) ||
         std::holds_alternative<Scale>(operation.kind);
}

// The zeros before and after an axis of `size` pixels. TensorFlow's 'same' (Keras' correct_pad
// agrees with it) pads as much as ceil(size / stride) outputs need, the odd pixel after.
void PadAxis(Padding padding, const NetworkLayer& layer, int size, int* before, int* after) {
  const int reach = (layer.kernel - 1) * layer.dilation;  // from a window's first pixel to its last
  if (padding == Padding::kSymmetric) {
    *before = *after = reach / 2;
    return;
  }
  const int outputs = (size + layer.stride - 1) / layer.stride;
  const int total = std::max(0, (outputs - 1) * layer.stride + reach + 1 - size);
  *before = total / 2;
  *after = total - *before;
}

int Outputs(const NetworkLayer& layer, int size, int before, int after) {
  return (size + before + after - (layer.kernel - 1) * layer.dilation - 1) / layer.stride + 1;
}

// Turns operations into layers, one after the other.
class LayerBuilder {
 public:
  explicit LayerBuilder(const std::vector<Operation>& operations)
      : operations_(operations), readers_(operations.size()) {
    for (int i = 0; i < size(); ++i) {
      CheckOrder(i, operations[i].input);
      if (ReadsTwo(operations[i])) CheckOrder(i, SecondInput(operations[i]));
    }
  }

  void Run(std::vector<NetworkLayer>& layers, std::vector<int>& layer_of) {
    for (int i = 0; i < size(); ++i) {
      NetworkLayer layer = Begin(operations_[i], layers, layer_of);
      const int index = static_cast<int>(layers.size());
      layer_of.push_back(index);
      if (layer.has_weights() && JoinsAsAdd(i + 1)) {
        const Operation& add = operations_[++i];
        layer.added = LayerOf(add.input == i - 1 ? SecondInput(add) : add.input, layer_of);
        layer_of.push_back(index);
      }
      if ((layer.has_weights() || layer.kind == Kind::kAdd) && JoinsAsActivation(i + 1)) {
        layer.activation = std::get<Activate>(operations_[++i].kind).function;
        layer_of.push_back(index);
      }
      layer.operation = i;
      layers.push_back(std::move(layer));
    }
  }

 private:
  int size() const { return static_cast<int>(operations_.size()); }

  void CheckOrder(int reader, int input) {
    if (input >= reader || input < -1 || (input == -1) != (reader == 0)) {
      Refuse(operations_[reader],
             "reads operation " + std::to_string(input) +
                 ", which does not lie before it, or is the picture, which the first one reads");
    }
    if (input >= 0) ++readers_[input];
  }

  // Whether the map behind `operation` is read by the next one alone.
  bool LeadsOn(int operation) const { return operation >= 0 && readers_[operation] == 1; }

  bool JoinsAsAdd(int operation) const {
    if (operation >= size() || !LeadsOn(operation - 1)) return false;
    const auto* add = std::get_if<Add>(&operations_[operation].kind);
    if (add == nullptr || operations_[operation].input < 0) return false;
    return operations_[operation].input == operation - 1 || add->from == operation - 1;
  }

  bool JoinsAsActivation(int operation) const {
    return operation < size() && LeadsOn(operation - 1) &&
           operations_[operation].input == operation - 1 &&
           std::holds_alternative<Activate>(operations_[operation].kind);
  }

  static int LayerOf(int operation, const std::vector<int>& layer_of) {
    return operation < 0 ? -1 : layer_of[operation];
  }

  static NetworkLayer Begin(const Operation& operation, const std::vector<NetworkLayer>& layers,
                            const std::vector<int>& layer_of) {
    NetworkLayer layer{.name = operation.name,
                       .block = operation.block,
                       .input = LayerOf(operation.input, layer_of),
                       .segment = operation.segment};
    layer.in_channels = layer.input < 0 ? 3 : layers[layer.input].out_channels;
    layer.out_channels = layer.in_channels;
    const int second = LayerOf(SecondInput(operation), layer_of);
    if (const auto* conv = std::get_if<Conv>(&operation.kind)) {
      layer.out_channels = conv->out_channels;
      layer.kernel = conv->kernel;
      layer.stride = conv->stride;
      layer.groups = conv->groups;
      layer.dilation = conv->dilation;
    } else if (const auto* dense = std::get_if<Dense>(&operation.kind)) {
      layer.kind = Kind::kDense;
      layer.out_channels = dense->units;
    } else if (const auto* pool = std::get_if<MaxPool>(&operation.kind)) {
      layer.kind = Kind::kMaxPool;
      layer.kernel = pool->kernel;
      layer.stride = pool->stride;
    } else if (const auto* activation = std::get_if<Activate>(&operation.kind)) {
      layer.kind = Kind::kActivation;
      layer.activation = activation->function;
    } else if (std::holds_alternative<Add>(operation.kind)) {
      layer.kind = Kind::kAdd;
      layer.added = second;
    } else if (std::holds_alternative<Scale>(operation.kind)) {
      layer.kind = Kind::kScale;
      layer.scaled_by = second;
    } else {
      layer.kind = Kind::kGlobalPool;
    }
    CheckNumbers(operation, layer);
    return layer;
  }

  static void CheckNumbers(const Operation& operation, const NetworkLayer& layer) {
    const std::array numbers = {layer.in_channels, layer.out_channels, layer.kernel,
                                layer.stride,      layer.groups,       layer.dilation};
    if (std::ranges::any_of(numbers, [](int number) { return number < 1; })) {
      Refuse(operation, "has a size below 1");
    }
    if (layer.in_channels % layer.groups != 0 || layer.out_channels % layer.groups != 0) {
      Refuse(operation, "has " + std::to_string(layer.groups) +
                            " groups, which do not divide its " +
                            std::to_string(layer.in_channels) + " and " +
                            std::to_string(layer.out_channels) + " channels");
    }
  }

  const std::vector<Operation>& operations_;
  std::vector<int> readers_;  // how many operations read the map of each
};

}  // namespace

std::string_view Name(Nonlinearity function) {
  switch (function) {
    case Nonlinearity::kRelu:
      return "relu";
    case Nonlinearity::kRelu6:
      return "relu6";
    case Nonlinearity::kHardSigmoid:
      return "hard_sigmoid";
    case Nonlinearity::kHardSwish:
      return "hard_swish";
    case Nonlinearity::kSigmoid:
      return "sigmoid";
    case Nonlinearity::kSilu:
      return "silu";
  }
  return "";
}

std::optional<float> CeilingOf(Nonlinearity function) {
  if (function == Nonlinearity::kRelu) return std::numeric_limits<float>::infinity();
  if (function == Nonlinearity::kRelu6) return 6.0f;
  return std::nullopt;
}

std::string_view Name(NetworkLayer::Kind kind) {
  switch (kind) {
    case Kind::kConv:
      return "convolution";
    case Kind::kDense:
      return "dense layer";
    case Kind::kAdd:
      return "sum of two maps";
    case Kind::kScale:
      return "product of two maps";
    case Kind::kActivation:
      return "activation";
    case Kind::kGlobalPool:
      return "global pooling";
    case Kind::kMaxPool:
      return "max pooling";
  }
  return "";
}

void Network::CheckSegments(int index) const {
  const NetworkLayer& layer = layers_[index];
  if (index > 0 && layer.segment < layers_[index - 1].segment) {
    Refuse(operations_[layer.operation], "has a lower number of its segment than the one before");
  }
  for (const int map : {layer.input, layer.added, layer.scaled_by}) {
    const bool crosses = map >= 0 && layers_[map].segment != layer.segment;
    if (crosses && layers_[map + 1].segment == layers_[map].segment) {
      Refuse(operations_[layer.operation], "reads another map of an earlier segment than its last");
    }
  }
}

Network::Network(std::vector<Operation> operations, MapSize input, const Convention& convention)
    : input_(input), convention_(convention), operations_(std::move(operations)) {
  LayerBuilder(operations_).Run(layers_, layer_of_);
  for (int i = 0; i < size(); ++i) {
    CheckSegments(i);
    const NetworkLayer& layer = layers_[i];
    const MapSize in = input_size(i);
    const Pads around = pads(i);
    MapSize out = {Outputs(layer, in.height, around.top, around.bottom),
                   Outputs(layer, in.width, around.left, around.right)};
    if (layer.kind == Kind::kGlobalPool) out = {1, 1};
    output_sizes_.push_back(out);
    last_readers_.push_back(i);
    for (const int map : {layer.input, layer.added, layer.scaled_by}) {
      if (map >= 0) last_readers_[map] = i;
    }
    const Operation& operation = operations_[layer.operation];
    if (out.height < 1 || out.width < 1) Refuse(operation, "has no pixel left of its map");
    if (layer.kind == Kind::kDense && in != MapSize{1, 1}) {
      Refuse(operation, "is a dense layer and reads a map that is not pooled");
    }
    if (layer.added >= 0 && (output_sizes_[layer.added] != out ||
                             layers_[layer.added].out_channels != layer.out_channels)) {
      Refuse(operation, "adds maps of different shapes");
    }
    if (layer.scaled_by >= 0 && (output_sizes_[layer.scaled_by] != MapSize{1, 1} ||
                                 layers_[layer.scaled_by].out_channels != layer.out_channels)) {
      Refuse(operation, "has another number of factors than of channels");
    }
  }
}

MapSize Network::input_size(int layer) const {
  const int input = layers_[layer].input;
  return input < 0 ? input_ : output_sizes_[input];
}

Pads Network::pads(int layer) const {
  const NetworkLayer& it = layers_[layer];
  Pads pads{};
  if (it.kind != Kind::kConv && it.kind != Kind::kMaxPool) return pads;
  const MapSize in = input_size(layer);
  PadAxis(convention_.padding, it, in.height, &pads.top, &pads.bottom);
  PadAxis(convention_.padding, it, in.width, &pads.left, &pads.right);
  return pads;
}

}  // namespace weir
