#include "stages/cuda/folded_network.h"

#include <ATen/Context.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

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

}  // namespace

void UseExactTorchArithmetic() {
  at::Context& context = at::globalContext();
  for (const auto op : {at::Float32Op::CONV, at::Float32Op::RNN, at::Float32Op::MATMUL}) {
    context.setFloat32Precision(at::Float32Backend::CUDA, op, at::Float32Precision::IEEE);
  }
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
}

FoldedNetwork::FoldedNetwork(const MobileNetV2& model, const LayerReader& weights, int last_layer,
                             Precision precision, at::Device device)
    : type_(precision == Precision::kFloat32 ? at::kFloat : at::kBFloat16) {
  const c10::InferenceMode no_gradients;
  for (int i = 0; i <= last_layer; ++i) {
    const ConvLayer& shape = model.layers()[i];
    FoldedConv folded =
        Fold(shape, weights(static_cast<int>(i)), model.convention().batch_norm_epsilon);
    if (shape.residual >= 0) layers_[shape.residual].is_residual = true;
    layers_.push_back({.shape = shape,
                       .pads = model.pads(i),
                       .kernel = CopyTo(device, type_, folded.kernel,
                                        {shape.out_channels, shape.in_channels / shape.groups,
                                         shape.kernel, shape.kernel}),
                       .bias = CopyTo(device, type_, folded.bias, {shape.out_channels})});
  }
}

at::Tensor FoldedNetwork::Convolve(const Layer& layer, const at::Tensor& map) {
  const auto [top, left, bottom, right] = layer.pads;
  const bool even = top == bottom && left == right;
  const at::Tensor padded = even ? map : at::constant_pad_nd(map, {left, right, top, bottom}, 0);
  const std::vector<std::int64_t> padding =
      even ? std::vector<std::int64_t>{top, left} : std::vector<std::int64_t>{0, 0};
  return at::conv2d(padded, layer.kernel, layer.bias, layer.shape.stride, padding, 1,
                    layer.shape.groups);
}

at::Tensor FoldedNetwork::Run(at::Tensor map) const {
  const c10::InferenceMode no_gradients;
  std::vector<at::Tensor> kept(layers_.size());  // for a residual
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    map = Convolve(layer, map);
    if (layer.shape.relu6) at::clamp_(map, 0, 6);
    if (layer.shape.residual >= 0) {
      map.add_(kept[layer.shape.residual]);
      kept[layer.shape.residual].reset();
    }
    if (layer.is_residual) kept[i] = map;
  }
  return map;
}

}  // namespace weir
