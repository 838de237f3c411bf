#include "stages/train/backbone_suffix.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/hardtanh_backward.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "framework/flow/parallel.h"
#include "stages/kernels/map_kernels.h"
#include "stages/train/convolution.h"
#include "stages/train/torch/torch_allocator.h"

namespace weir {
namespace {

// Of what a running statistic keeps in each step. Keras' MobileNetV2 has 0.999, torchvision's
// modules PyTorch's 0.1 of the new one; and PyTorch's running variance is the unbiased one.
constexpr double kKerasMomentum = 0.999;
constexpr double kTorchMomentum = 0.9;

void CopyTo(const at::Tensor& target, const std::vector<float>& values) {
  target.copy_(at::from_blob(const_cast<float*>(values.data()), target.sizes(), at::kFloat));
}

// Through a ReLU (its ceiling is infinity) or a ReLU6.
at::Tensor ClipBackward(at::Tensor gradient, const at::Tensor& output, float ceiling) {
  if (!output.is_contiguous()) {
    return at::hardtanh_backward(gradient, output, 0, ceiling).contiguous();
  }
  return at::hardtanh_backward_out(gradient, gradient, output, 0, ceiling);
}

// The same and the sums of the channels, in one pass. `output` is undefined where there is no
// activation; it may be the inside of a padded map.
at::Tensor MaskAndSumOnHost(const at::Tensor& gradient, const at::Tensor& output, float ceiling,
                            bool sums) {
  const std::int64_t height = gradient.size(1), width = gradient.size(2),
                     channels = gradient.size(3);
  const at::Tensor sum = sums ? at::zeros({channels}, gradient.options()) : at::Tensor();
  for (std::int64_t n = 0; n < gradient.size(0); ++n) {
    MapLines lines;
    if (output.defined()) {
      lines = {output.const_data_ptr<float>() + n * output.stride(0), output.stride(1)};
    }
    MaskAndSum(gradient.mutable_data_ptr<float>() + n * gradient.stride(0), height, width, channels,
               lines, ceiling, sums ? sum.mutable_data_ptr<float>() : nullptr);
  }
  return sum;
}

}  // namespace

BackboneSuffix::BackboneSuffix(const Model& model, const ParameterArrays& arrays)
    : first_backbone_layer_(model.prefix_layers()),
      epsilon_(model.network().convention().batch_norm_epsilon),
      train_statistics_(model.config().backbone.batch_norm == BatchNormMode::kTrain),
      keras_(model.network().convention().padding == Padding::kSame),
      is_issued_(arrays.is_issued) {
  const ModelParameters& tables = arrays.tables;
  const Network& network = model.network();
  const int count = network.size() - first_backbone_layer_;
  std::vector<int> last_reader(count + 1);
  for (int i = 0; i < count; ++i) {
    const int index = first_backbone_layer_ + i;
    Layer layer;
    layer.shape = network.layers()[index];
    layer.pads = network.pads(index);
    layer.ceiling = CeilingOf(layer.shape);
    layer.learns = model.learns(index);
    if (layer.shape.added >= 0) {
      layer.added = layer.shape.added + 1 - first_backbone_layer_;
      last_reader[layer.added] = i;
    }
    last_reader[i] = std::max(last_reader[i], i);
    const LayerNames& names = model.backbone().names(index);
    layer.folded_kernel = View(arrays.folded, tables.folded.at(names.kernel));
    layer.folded_bias = View(arrays.folded, tables.folded.at(names.beta));
    if (layer.learns) {
      layer.kernel_parameter = &tables.learning.at(names.kernel);
      layer.gamma_parameter = &tables.learning.at(names.gamma);
      layer.beta_parameter = &tables.learning.at(names.beta);
      layer.kernel = View(arrays.values, *layer.kernel_parameter);
      layer.gamma = View(arrays.values, *layer.gamma_parameter);
      layer.beta = View(arrays.values, *layer.beta_parameter);
      layer.mean = View(arrays.statistics, tables.statistics.at(names.mean));
      layer.variance = View(arrays.statistics, tables.statistics.at(names.variance));
    }
    layers_.push_back(std::move(layer));
  }
  for (int map = 0; map < count; ++map) layers_[last_reader[map]].done_with.push_back(map);
  while (first_learning_ < count && !layers_[first_learning_].learns) ++first_learning_;
  for (int i = first_learning_; i < count; ++i) {
    layers_[i].begins_segment =
        BeginsSegment(network, first_backbone_layer_ + i, first_backbone_layer_ + first_learning_);
  }
}

void BackboneSuffix::Load(const LayerReader& weights) {
  for (int i = 0; i < size(); ++i) {
    const Layer& layer = layers_[i];
    const ConvWeights source = weights(first_backbone_layer_ + i);
    if (layer.learns) {
      CopyTo(layer.kernel, source.kernel);
      CopyTo(layer.gamma, source.gamma);
      CopyTo(layer.beta, source.beta);
      CopyTo(layer.mean, source.mean);
      CopyTo(layer.variance, source.variance);
    } else {
      const FoldedConv folded = weir::Fold(layer.shape, source, static_cast<float>(epsilon_));
      CopyTo(layer.folded_kernel, folded.kernel);
      CopyTo(layer.folded_bias, folded.bias);
    }
  }
}

void BackboneSuffix::ForEachThatLearns(const std::function<void(const Layer&)>& work) const {
  const auto one = [&](int i) {
    if (!layers_[i].learns) return;
    UseOneTorchThread();
    const c10::InferenceMode inference;
    work(layers_[i]);
  };
  if (!is_issued_) return ParallelFor(size(), one);
  for (int i = 0; i < size(); ++i) one(i);
}

void BackboneSuffix::Fold() const {
  ForEachThatLearns([this](const Layer& layer) {
    const at::Tensor scale = layer.gamma * at::rsqrt(layer.variance + epsilon_);
    at::Tensor kernel = layer.folded_kernel;
    at::mul_out(kernel, layer.kernel, scale.view({-1, 1, 1, 1}));
    at::Tensor bias = layer.folded_bias;
    at::addcmul_out(bias, layer.beta, layer.mean, scale, -1);
  });
}

void BackboneSuffix::Unfold(const at::Tensor& gradients) const {
  if (train_statistics_) return;
  ForEachThatLearns([&](const Layer& layer) {
    const at::Tensor of_kernel = View(gradients, *layer.kernel_parameter);
    const at::Tensor of_bias = View(gradients, *layer.beta_parameter);
    const at::Tensor inverse_deviation = at::rsqrt(layer.variance + epsilon_);
    const at::Tensor of_scale = at::sum(of_kernel * layer.kernel, {1, 2, 3}) - layer.mean * of_bias;
    View(gradients, *layer.gamma_parameter).copy_(of_scale * inverse_deviation);
    of_kernel.mul_((layer.gamma * inverse_deviation).view({-1, 1, 1, 1}));
  });
}

at::Tensor BackboneSuffix::Output(int index, std::vector<at::Tensor>& maps,
                                  const Keeping& keeping) const {
  const Layer& layer = layers_[index];
  const at::Tensor padded = Pad(maps[index], layer.pads);
  if (keeping.keeps && PadsUnevenly(layer.pads)) {
    keeping.tape->padded[index] = padded;
    // The map lies inside: one copy is enough.
    if (index > 0) {
      maps[index] = padded.narrow(1, layer.pads.top, maps[index].size(1))
                        .narrow(2, layer.pads.left, maps[index].size(2));
    }
  }
  const at::Tensor added = layer.added >= 0 ? maps[layer.added] : at::Tensor();
  if (keeping.tape == nullptr || !OnBatchStatistics(layer)) {
    return ConvolveAndFinish(layer.shape, layer.pads, padded, layer.folded_kernel,
                             layer.folded_bias, added);
  }
  Tape::Normalised in_passing;
  at::Tensor output =
      Normalise(layer, Convolve(layer.shape, layer.pads, padded, layer.kernel),
                keeping.keeps ? keeping.tape->normalised[index] : in_passing, keeping.is_first);
  if (added.defined()) output.add_(added);
  if (layer.ceiling) at::hardtanh_(output, 0, *layer.ceiling);
  return output;
}

at::Tensor BackboneSuffix::Forward(const at::Tensor& features, Tape* tape) const {
  std::vector<at::Tensor> maps(size() + 1);
  maps[0] = features;
  const bool recomputes = tape != nullptr && tape->activations == Activations::kRecomputed;
  if (tape != nullptr) {
    tape->padded.resize(size());
    tape->normalised.resize(train_statistics_ ? size() : 0);
  }
  for (int i = 0; i < size(); ++i) {
    const bool keeps = tape != nullptr && !recomputes && i >= first_learning_;
    maps[i + 1] = Output(i, maps, {.tape = tape, .keeps = keeps});
    for (int done : layers_[i].done_with) {
      const bool is_kept = tape != nullptr && done >= first_learning_ &&
                           (!recomputes || layers_[done].begins_segment);
      if (!is_kept) maps[done].reset();
    }
  }
  const at::Tensor output = maps.back();
  if (tape != nullptr) tape->maps = std::move(maps);
  return output;
}

void BackboneSuffix::RecomputeSegment(int last, Tape& tape) const {
  int begin = last;
  while (!layers_[begin].begins_segment) --begin;
  for (int i = begin; i <= last; ++i) {
    const bool is_last = i == last;  // whose output was kept
    if (is_last && !OnBatchStatistics(layers_[i]) && !PadsUnevenly(layers_[i].pads)) break;
    at::Tensor output = Output(i, tape.maps, {.tape = &tape, .keeps = true, .is_first = false});
    if (!is_last) tape.maps[i + 1] = std::move(output);
  }
}

void BackboneSuffix::Backward(at::Tensor gradient, Tape& tape, const GradientSink& sink) const {
  std::vector<at::Tensor> from_sums(size() + 1);
  for (int i = size() - 1; i >= first_learning_; --i) {
    const Layer& layer = layers_[i];
    if (tape.activations == Activations::kRecomputed &&
        (i + 1 == size() || layers_[i + 1].begins_segment)) {
      RecomputeSegment(i, tape);
    }
    if (from_sums[i + 1].defined()) {
      gradient.add_(from_sums[i + 1]);
      from_sums[i + 1].reset();
    }
    gradient = OutputBackward(layer, std::move(gradient), tape.maps[i + 1], sink);
    tape.maps[i + 1].reset();
    if (layer.added > first_learning_) {  // the tensor is nobody else's once this layer is done
      at::Tensor& sum = from_sums[layer.added];
      sum = sum.defined() ? sum.add_(gradient) : gradient;
    }
    gradient = LayerBackward(i, std::move(gradient), tape, sink);
    tape.padded[i].reset();
  }
}

at::Tensor BackboneSuffix::OutputBackward(const Layer& layer, at::Tensor gradient,
                                          const at::Tensor& output,
                                          const GradientSink& sink) const {
  const bool sums = layer.learns && !OnBatchStatistics(layer);
  if (!gradient.is_cpu()) {
    if (layer.ceiling) gradient = ClipBackward(std::move(gradient), output, *layer.ceiling);
    if (sums) sink.Put(*layer.beta_parameter, at::sum(Rows(gradient), 0));
  } else if (layer.ceiling || sums) {
    const at::Tensor sum = MaskAndSumOnHost(gradient, layer.ceiling ? output : at::Tensor(),
                                            layer.ceiling.value_or(0), sums);
    if (sums) sink.Put(*layer.beta_parameter, sum);
  }
  return gradient;
}

at::Tensor BackboneSuffix::LayerBackward(int index, at::Tensor gradient, Tape& tape,
                                         const GradientSink& sink) const {
  const Layer& layer = layers_[index];
  const bool of_input = index > first_learning_;
  const bool normalises = OnBatchStatistics(layer);
  const at::Tensor of_output =
      normalises ? NormaliseBackward(layer, std::move(gradient), tape.normalised[index], sink)
                 : std::move(gradient);
  const at::Tensor& input = tape.padded[index].defined() ? tape.padded[index] : tape.maps[index];
  const bool is_product = layer.shape.is_pointwise();
  if (layer.learns && is_product) {
    sink.PutProduct(*layer.kernel_parameter, Rows(of_output).t(), Rows(input));
  }
  const ConvolutionGradients gradients =
      ConvolveBackward(layer.shape, layer.pads, of_output, input,
                       normalises ? layer.kernel : layer.folded_kernel, of_input, layer.learns);
  if (layer.learns && !is_product) sink.Put(*layer.kernel_parameter, gradients.kernel);
  return gradients.input;
}

at::Tensor BackboneSuffix::Normalise(const Layer& layer, const at::Tensor& map,
                                     Tape::Normalised& kept, bool is_first) const {
  kept.input = map;
  auto [output, mean, inverse_deviation] = at::native_batch_norm(
      map.permute({0, 3, 1, 2}), layer.gamma, layer.beta, {}, {}, true, 0, epsilon_);
  kept.mean = mean;
  kept.inverse_deviation = inverse_deviation;
  at::Tensor normalised = output.permute({0, 2, 3, 1}).contiguous();
  if (!is_first) return normalised;
  const double momentum = keras_ ? kKerasMomentum : kTorchMomentum;
  const double count = static_cast<double>(map.numel() / map.size(3));
  const double unbiased = keras_ || count < 2 ? 1 : count / (count - 1);
  const at::Tensor variance = inverse_deviation.pow(-2).sub_(epsilon_);
  layer.mean.mul_(momentum).add_(mean, 1 - momentum);
  layer.variance.mul_(momentum).add_(variance, (1 - momentum) * unbiased);
  return normalised;
}

at::Tensor BackboneSuffix::NormaliseBackward(const Layer& layer, at::Tensor gradient,
                                             Tape::Normalised& kept,
                                             const GradientSink& sink) const {
  const auto [of_input, of_gamma, of_beta] = at::native_batch_norm_backward(
      gradient.permute({0, 3, 1, 2}), kept.input.permute({0, 3, 1, 2}), layer.gamma, {}, {},
      kept.mean, kept.inverse_deviation, true, epsilon_, {true, true, true});
  kept = {};
  sink.Put(*layer.gamma_parameter, of_gamma);
  sink.Put(*layer.beta_parameter, of_beta);
  return of_input.permute({0, 2, 3, 1}).contiguous();
}

}  // namespace weir
