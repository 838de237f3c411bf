#include "stages/device/cuda/folded_network.h"

#include <ATen/Context.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace weir {
namespace {

at::Tensor CopyTo(at::Device device, at::ScalarType type, std::vector<float>& values,
                  at::IntArrayRef shape) {
  const at::Tensor here = at::from_blob(values.data(), shape, at::kFloat);
  const auto format =
      shape.size() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  return here.to(at::TensorOptions(device).dtype(type), /*non_blocking=*/false, /*copy=*/true,
                 format);
}

void Apply(Nonlinearity function, at::Tensor& map) {
  switch (function) {
    case Nonlinearity::kRelu:
      at::relu_(map);
      return;
    case Nonlinearity::kRelu6:
      at::clamp_(map, 0, 6);
      return;
    case Nonlinearity::kHardSigmoid:
      at::hardsigmoid_(map);
      return;
    case Nonlinearity::kHardSwish:
      at::hardswish_(map);
      return;
    case Nonlinearity::kSigmoid:
      at::sigmoid_(map);
      return;
    case Nonlinearity::kSilu:
      at::silu_(map);
      return;
  }
}

}  // namespace

void UseExactTorchArithmetic() {
  at::Context& context = at::globalContext();
  for (const auto op : {at::Float32Op::CONV, at::Float32Op::RNN, at::Float32Op::MATMUL}) {
    context.setFloat32Precision(at::Float32Backend::CUDA, op, at::Float32Precision::IEEE);
  }
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
}

FoldedNetwork::FoldedNetwork(const Network& network, const LayerReader& weights, int last_layer,
                             Precision precision, at::Device device)
    : type_(precision == Precision::kFloat32 ? at::kFloat : at::kBFloat16) {
  const c10::InferenceMode no_gradients;
  const float epsilon = network.convention().batch_norm_epsilon;
  for (int i = 0; i <= last_layer; ++i) {
    const NetworkLayer& shape = network.layers()[i];
    Layer layer{.shape = shape, .pads = network.pads(i)};
    if (shape.has_weights()) {
      FoldedConv folded = Fold(shape, weights(i), epsilon);
      layer.kernel = CopyTo(
          device, type_, folded.kernel,
          {shape.out_channels, shape.in_channels / shape.groups, shape.kernel, shape.kernel});
      layer.bias = CopyTo(device, type_, folded.bias, {shape.out_channels});
    }
    layers_.push_back(std::move(layer));
  }
  for (int map = 0; map < last_layer; ++map) {
    layers_[std::min(network.last_reader(map), last_layer)].done_with.push_back(map);
  }
}

at::Tensor FoldedNetwork::First(const Layer& layer, const at::Tensor& map,
                                const std::vector<at::Tensor>& maps) {
  using Kind = NetworkLayer::Kind;
  const NetworkLayer& shape = layer.shape;
  const Pads& pads = layer.pads;
  const bool even = pads.is_symmetric();
  const std::vector<std::int64_t> padding =
      even ? std::vector<std::int64_t>{pads.top, pads.left} : std::vector<std::int64_t>{0, 0};
  const auto padded = [&](float value) {
    if (even) return map;
    return at::constant_pad_nd(map, {pads.left, pads.right, pads.top, pads.bottom}, value);
  };
  switch (shape.kind) {
    case Kind::kConv:
    case Kind::kDense:
      return at::conv2d(padded(0), layer.kernel, layer.bias, shape.stride, padding, shape.dilation,
                        shape.groups);
    case Kind::kScale:
      return at::mul(map, maps[shape.scaled_by]);
    case Kind::kGlobalPool:
      return at::mean(map, {2, 3}, /*keepdim=*/true);
    case Kind::kMaxPool:
      return at::max_pool2d(padded(-std::numeric_limits<float>::infinity()), shape.kernel,
                            shape.stride, padding);
    case Kind::kAdd:
    case Kind::kActivation:
      break;
  }
  return map.clone();
}

at::Tensor FoldedNetwork::Run(at::Tensor map) const {
  const c10::InferenceMode no_gradients;
  std::vector<at::Tensor> maps(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const int input = layer.shape.input;
    at::Tensor out = First(layer, input < 0 ? map : maps[input], maps);
    if (input < 0) map.reset();
    if (layer.shape.added >= 0) out.add_(maps[layer.shape.added]);
    if (layer.shape.activation) Apply(*layer.shape.activation, out);
    maps[i] = std::move(out);
    for (const int done : layer.done_with) maps[done].reset();
  }
  return maps.back();
}

}  // namespace weir
