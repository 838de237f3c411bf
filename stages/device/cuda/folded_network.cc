#include "stages/device/cuda/folded_network.h"

#include <ATen/ops/addmm.h>
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

#include "stages/device/patches.h"

namespace weir {
namespace {

// Whether it is computed as a product of patches.
bool IsProduct(const NetworkLayer& layer) { return layer.has_weights() && layer.groups == 1; }

at::Tensor CopyTo(at::Device device, at::ScalarType type, const at::Tensor& values) {
  return values.contiguous().to(at::TensorOptions(device).dtype(type), /*non_blocking=*/false,
                                /*copy=*/true);
}

at::Tensor View(std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(values.data(), shape, at::kFloat);
}

// LibTorch's order of the dimensions; the memory is the same.
at::Tensor ChannelsFirst(const at::Tensor& map) { return map.permute({0, 3, 1, 2}); }
at::Tensor ChannelsLast(const at::Tensor& map) { return map.permute({0, 2, 3, 1}).contiguous(); }

// Zeros around the map, or another value, where LibTorch's kernels do not put them there: they pad
// both sides of an axis alike.
at::Tensor Padded(const at::Tensor& map, const Pads& pads, float value) {
  if (pads.is_symmetric()) return map;
  return at::constant_pad_nd(map, {0, 0, pads.left, pads.right, pads.top, pads.bottom}, value);
}
std::vector<std::int64_t> PaddingOf(const Pads& pads) {
  if (!pads.is_symmetric()) return {0, 0};
  return {pads.top, pads.left};
}

at::Tensor Product(const at::Tensor& patches, const at::Tensor& kernel, const at::Tensor& bias) {
  const std::int64_t values = patches.size(3);
  return at::addmm(bias, patches.view({-1, values}), kernel.t())
      .view({patches.size(0), patches.size(1), patches.size(2), bias.size(0)});
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

FoldedNetwork::FoldedNetwork(const Network& network, const LayerReader& weights, int last_layer,
                             Precision precision, at::Device device,
                             const DepthwiseKernels* depthwise)
    : type_(precision == Precision::kBfloat16 ? at::kBFloat16 : at::kFloat), depthwise_(depthwise) {
  const c10::InferenceMode no_gradients;
  const float epsilon = network.convention().batch_norm_epsilon;
  for (int i = 0; i <= last_layer; ++i) {
    const NetworkLayer& shape = network.layers()[i];
    Layer layer{.shape = shape, .pads = network.pads(i), .output = network.output_size(i)};
    if (shape.has_weights()) {
      FoldedConv folded = Fold(shape, weights(i), epsilon);
      const at::Tensor kernel =
          View(folded.kernel,
               {shape.out_channels, shape.in_channels / shape.groups, shape.kernel, shape.kernel});
      layer.kernel = CopyTo(device, type_, IsProduct(shape) ? PatchKernel(kernel) : kernel);
      layer.bias = CopyTo(device, type_, View(folded.bias, {shape.out_channels}));
      layer.is_own = depthwise != nullptr && DepthwiseKernels::Know(shape);
      layer.clips_itself = layer.is_own && shape.added < 0 && shape.activation &&
                           CeilingOf(*shape.activation).has_value();
    }
    layers_.push_back(std::move(layer));
  }
  for (int map = 0; map < last_layer; ++map) {
    layers_[std::min(network.last_reader(map), last_layer)].done_with.push_back(map);
  }
}

at::Tensor FoldedNetwork::Depthwise(const Layer& layer, const at::Tensor& map) const {
  const DepthwiseMaps maps{.count = map.size(0),
                           .channels = map.size(3),
                           .in_height = map.size(1),
                           .in_width = map.size(2),
                           .out_height = layer.output.height,
                           .out_width = layer.output.width,
                           .stride = layer.shape.stride,
                           .pad_top = layer.pads.top,
                           .pad_left = layer.pads.left};
  return depthwise_->Forward(
      maps, map, layer.kernel, layer.bias,
      layer.clips_itself ? CeilingOf(*layer.shape.activation) : std::nullopt);
}

at::Tensor FoldedNetwork::First(const Layer& layer, const at::Tensor& map,
                                const std::vector<at::Tensor>& maps) const {
  using Kind = NetworkLayer::Kind;
  const NetworkLayer& shape = layer.shape;
  const Pads& pads = layer.pads;
  switch (shape.kind) {
    case Kind::kConv:
    case Kind::kDense:
      if (layer.is_own) return Depthwise(layer, map);
      if (IsProduct(shape)) return Product(Patches(shape, pads, map), layer.kernel, layer.bias);
      return ChannelsLast(at::conv2d(ChannelsFirst(Padded(map, pads, 0)), layer.kernel, layer.bias,
                                     shape.stride, PaddingOf(pads), shape.dilation, shape.groups));
    case Kind::kScale:
      return at::mul(map, maps[shape.scaled_by]);
    case Kind::kGlobalPool:
      return at::mean(map, {1, 2}, /*keepdim=*/true);
    case Kind::kMaxPool:
      return ChannelsLast(
          at::max_pool2d(ChannelsFirst(Padded(map, pads, -std::numeric_limits<float>::infinity())),
                         shape.kernel, shape.stride, PaddingOf(pads)));
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
    if (layer.shape.activation && !layer.clips_itself) Apply(*layer.shape.activation, out);
    maps[i] = std::move(out);
    for (const int done : layer.done_with) maps[done].reset();
  }
  return maps.back();
}

}  // namespace weir
