#include "stages/train/backbone/backbone_layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sum.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "framework/flow/parallel.h"
#include "stages/train/torch/torch_allocator.h"

namespace weir {
namespace {

void CopyTo(const at::Tensor& target, const std::vector<float>& values) {
  target.copy_(at::from_blob(const_cast<float*>(values.data()), target.sizes(), at::kFloat));
}

}  // namespace

BackboneLayers::BackboneLayers(const Model& model, const ParameterArrays& arrays,
                               const DepthwiseKernels* depthwise)
    : begin_(model.prefix_layers()), is_issued_(arrays.is_issued) {
  const Network& network = model.network();
  for (int i = begin_; i < network.size(); ++i) {
    BackboneLayer layer;
    layer.shape = network.layers()[i];
    layer.input_size = network.input_size(i);
    layer.pads = network.pads(i);
    layer.depthwise = depthwise;
    if (layer.shape.activation) layer.ceiling = CeilingOf(*layer.shape.activation);
    layer.learns = model.learns(i);
    layer.normalises_the_batch = model.normalises_the_batch(i);
    layer.epsilon = network.convention().batch_norm_epsilon;
    layer.follows_keras = network.convention().padding == Padding::kSame;
    if (layer.shape.has_weights()) Bind(model.backbone().names(i), arrays, layer);
    layers_.push_back(std::move(layer));
  }
}

void BackboneLayers::Bind(const LayerNames& names, const ParameterArrays& arrays,
                          BackboneLayer& layer) const {
  const ModelParameters& tables = arrays.tables;
  if (layer.learns) {
    layer.kernel_parameter = &tables.learning.at(names.kernel);
    layer.beta_parameter = &tables.learning.at(names.beta);
    layer.kernel = View(arrays.values, *layer.kernel_parameter);
    layer.beta = View(arrays.values, *layer.beta_parameter);
  }
  if (layer.learns && !layer.is_convolution()) {
    layer.folded_kernel = layer.kernel;
    layer.folded_bias = layer.beta;
    return;
  }
  layer.folded_kernel = View(arrays.folded, tables.folded.at(names.kernel));
  layer.folded_bias = View(arrays.folded, tables.folded.at(names.beta));
  if (!layer.learns) return;
  layer.gamma_parameter = &tables.learning.at(names.gamma);
  layer.gamma = View(arrays.values, *layer.gamma_parameter);
  layer.mean = View(arrays.statistics, tables.statistics.at(names.mean));
  layer.variance = View(arrays.statistics, tables.statistics.at(names.variance));
}

void BackboneLayers::Load(const LayerReader& weights) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const BackboneLayer& layer = layers_[i];
    if (!layer.shape.has_weights()) continue;
    const ConvWeights source = weights(begin_ + static_cast<int>(i));
    if (layer.learns) {
      CopyTo(layer.kernel, source.kernel);
      CopyTo(layer.beta, source.beta);
      if (!layer.is_convolution()) continue;
      CopyTo(layer.gamma, source.gamma);
      CopyTo(layer.mean, source.mean);
      CopyTo(layer.variance, source.variance);
    } else {
      const FoldedConv folded = weir::Fold(layer.shape, source, static_cast<float>(layer.epsilon));
      CopyTo(layer.folded_kernel, folded.kernel);
      CopyTo(layer.folded_bias, folded.bias);
    }
  }
}

void BackboneLayers::ForEachBatchNormThatLearns(
    const std::function<void(const BackboneLayer&)>& work) const {
  const auto one = [&](int i) {
    if (!layers_[i].learns || !layers_[i].is_convolution()) return;
    UseOneTorchThread();
    const c10::InferenceMode inference;
    work(layers_[i]);
  };
  const int count = static_cast<int>(layers_.size());
  if (!is_issued_) return ParallelFor(count, one);
  for (int i = 0; i < count; ++i) one(i);
}

void BackboneLayers::Fold() const {
  ForEachBatchNormThatLearns([](const BackboneLayer& layer) {
    const at::Tensor scale = layer.gamma * at::rsqrt(layer.variance + layer.epsilon);
    at::Tensor kernel = layer.folded_kernel;
    at::mul_out(kernel, layer.kernel, scale.view({-1, 1, 1, 1}));
    at::Tensor bias = layer.folded_bias;
    at::addcmul_out(bias, layer.beta, layer.mean, scale, -1);
  });
}

void BackboneLayers::Unfold(const at::Tensor& gradients) const {
  ForEachBatchNormThatLearns([&](const BackboneLayer& layer) {
    if (layer.normalises_the_batch) return;
    const at::Tensor of_kernel = View(gradients, *layer.kernel_parameter);
    const at::Tensor of_bias = View(gradients, *layer.beta_parameter);
    const at::Tensor inverse_deviation = at::rsqrt(layer.variance + layer.epsilon);
    const at::Tensor of_scale = at::sum(of_kernel * layer.kernel, {1, 2, 3}) - layer.mean * of_bias;
    View(gradients, *layer.gamma_parameter).copy_(of_scale * inverse_deviation);
    of_kernel.mul_((layer.gamma * inverse_deviation).view({-1, 1, 1, 1}));
  });
}

}  // namespace weir
