#include "stages/train/backbone/backbone_kernels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardsigmoid_backward.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/hardswish_backward.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/hardtanh_backward.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <utility>

#include "framework/error.h"
#include "stages/kernels/map_kernels.h"
#include "stages/train/tensors/convolution.h"
#include "stages/train/tensors/maps.h"
#include "stages/train/tensors/matrix_product.h"
#include "stages/train/tensors/pooling.h"

namespace weir {
namespace {

using Kind = TrainingStep::Kind;

// How much of itself a running statistic keeps in each step. Keras' MobileNetV2 has 0.999,
// torchvision's modules have PyTorch's 0.1 of the new one; and PyTorch's running variance is the
// unbiased one.
constexpr double kKerasMomentum = 0.999;
constexpr double kTorchMomentum = 0.9;

// Changes `map` in place.
void AddAndClip(const BackboneLayer& layer, at::Tensor& map, const at::Tensor& added) {
  if (added.defined()) map.add_(added);
  if (layer.ceiling) at::hardtanh_(map, 0, *layer.ceiling);
}

// The second map of a step that may have one; undefined where it has none.
at::Tensor Second(const StepFrame& frame) { return frame.reads(1) ? frame.read(1) : at::Tensor(); }

Convolution ConvolutionOf(const BackboneLayer& layer) {
  return {layer.shape, layer.pads, layer.depthwise};
}

void RunPad(const BackboneLayer& layer, const StepFrame& frame) {
  const at::Tensor& map = frame.read(0);
  const at::Tensor padded = Pad(map, layer.pads);
  frame.write(0) = padded;
  if (!frame.writes(1)) return;
  frame.write(1) = Inside(padded, layer.pads, map.size(1), map.size(2));
}

void RunConvolveAndFinish(const BackboneLayer& layer, const StepFrame& frame) {
  frame.write(0) = ConvolveAndFinish(ConvolutionOf(layer), frame.read(0), layer.folded_kernel,
                                     layer.folded_bias, Second(frame), layer.ceiling);
}

void RunConvolve(const BackboneLayer& layer, const StepFrame& frame) {
  frame.write(0) = Convolve(ConvolutionOf(layer), frame.read(0), layer.kernel);
}

void FollowStatistics(const BackboneLayer& layer, const at::Tensor& map, const at::Tensor& mean,
                      const at::Tensor& inverse_deviation) {
  const double momentum = layer.follows_keras ? kKerasMomentum : kTorchMomentum;
  const std::int64_t pixels = map.numel() / map.size(3);
  const auto count = static_cast<double>(pixels);
  const double unbiased = layer.follows_keras || count < 2 ? 1 : count / (count - 1);
  const at::Tensor variance = inverse_deviation.pow(-2).sub_(layer.epsilon);
  layer.mean.mul_(momentum).add_(mean, 1 - momentum);
  layer.variance.mul_(momentum).add_(variance, (1 - momentum) * unbiased);
}

void RunNormalise(const BackboneLayer& layer, const StepFrame& frame) {
  const at::Tensor& map = frame.read(0);
  auto [output, mean, inverse_deviation] = at::native_batch_norm(
      ChannelsFirst(map), layer.gamma, layer.beta, {}, {}, true, 0, layer.epsilon);
  frame.write(0) = ChannelsLast(output);
  frame.write(1) = mean;
  frame.write(2) = inverse_deviation;
  if (!frame.step.is_recomputed) FollowStatistics(layer, map, mean, inverse_deviation);
  AddAndClip(layer, frame.write(0), Second(frame));
}

void RunAdd(const BackboneLayer& layer, const StepFrame& frame) {
  frame.write(0) = frame.read(0).add(frame.read(1));
  AddAndClip(layer, frame.write(0), {});
}

void RunScale(const BackboneLayer&, const StepFrame& frame) {
  frame.write(0) = frame.read(0).mul(frame.read(1));
}

// `out` may be `map` itself.
void Activate(const BackboneLayer& layer, const at::Tensor& map, at::Tensor& out) {
  switch (*layer.shape.activation) {
    case Nonlinearity::kRelu:
    case Nonlinearity::kRelu6:
      at::hardtanh_out(out, map, 0, *layer.ceiling);
      return;
    case Nonlinearity::kHardSigmoid:
      at::hardsigmoid_out(out, map);
      return;
    case Nonlinearity::kHardSwish:
      at::hardswish_out(out, map);
      return;
    case Nonlinearity::kSigmoid:
      at::sigmoid_out(out, map);
      return;
    case Nonlinearity::kSilu:
      at::silu_out(out, map);
      return;
  }
}

void RunActivate(const BackboneLayer& layer, const StepFrame& frame) {
  const at::Tensor& map = frame.read(0);
  at::Tensor& out = frame.write(0);
  if (frame.step.reads[0] != frame.step.writes[0]) out = at::empty_like(map);
  Activate(layer, map, out);
}

void RunGlobalPool(const BackboneLayer&, const StepFrame& frame) {
  const at::Tensor& map = frame.read(0);
  frame.write(0) = MeanOfPixels(map).view({map.size(0), 1, 1, map.size(3)});
}

void RunMaxPool(const BackboneLayer& layer, const StepFrame& frame) {
  MaxPooled pooled = MaxPool(layer.shape, layer.pads, frame.read(0));
  frame.write(0) = std::move(pooled.map);
  if (frame.writes(1)) frame.write(1) = std::move(pooled.indices);
}

void RunDense(const BackboneLayer& layer, const StepFrame& frame) {
  const at::Tensor& input = frame.read(0);
  const at::Tensor matrix = layer.folded_kernel.view({layer.shape.out_channels, -1});
  frame.write(0) = Multiply(Rows(input), matrix.t())
                       .add_(layer.folded_bias)
                       .view({input.size(0), 1, 1, layer.shape.out_channels});
  AddAndClip(layer, frame.write(0), Second(frame));
}

void RunCopy(const BackboneLayer&, const StepFrame& frame) {
  frame.write(0) = frame.read(0).clone();
}

void RunAccumulate(const BackboneLayer&, const StepFrame& frame) {
  frame.write(0).add_(frame.read(1));
}

void RunActivateBackward(const BackboneLayer& layer, const StepFrame& frame) {
  at::Tensor& gradient = frame.write(0);
  const at::Tensor& map = frame.read(1);
  switch (*layer.shape.activation) {
    case Nonlinearity::kRelu:
    case Nonlinearity::kRelu6:
      return;  // RunMaskAndSum does this
    case Nonlinearity::kHardSigmoid:
      at::hardsigmoid_backward_out(gradient, gradient, map);
      return;
    case Nonlinearity::kHardSwish:
      gradient = at::hardswish_backward(gradient, map);
      return;
    case Nonlinearity::kSigmoid:
      at::sigmoid_backward_out(gradient, gradient, map);
      return;
    case Nonlinearity::kSilu:
      at::silu_backward_out(gradient, gradient, map);
      return;
  }
}

// `gradient` becomes that of what the ReLU read; returns the sums of its channels, where `sums`, in
// the same pass. `output` is undefined where there is no ReLU; it may be the inside of a padded
// map.
at::Tensor MaskAndSumOnHost(const at::Tensor& gradient, const at::Tensor& output, float ceiling,
                            bool sums) {
  const std::int64_t height = gradient.size(1), width = gradient.size(2),
                     channels = gradient.size(3);
  at::Tensor sum = sums ? at::zeros({channels}, gradient.options()) : at::Tensor();
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

at::Tensor MaskAndSumOnDevice(at::Tensor& gradient, const at::Tensor& output, float ceiling,
                              bool sums) {
  if (output.defined() && output.is_contiguous()) {
    at::hardtanh_backward_out(gradient, gradient, output, 0, ceiling);
  } else if (output.defined()) {
    gradient = at::hardtanh_backward(gradient, output, 0, ceiling).contiguous();
  }
  return sums ? at::sum(Rows(gradient), 0) : at::Tensor();
}

void RunMaskAndSum(const BackboneLayer& layer, const StepFrame& frame) {
  at::Tensor& gradient = frame.write(0);
  const at::Tensor output = Second(frame);
  const float ceiling = layer.ceiling.value_or(0);
  const bool sums = frame.step.kind == Kind::kMaskAndSum;
  const at::Tensor sum = gradient.is_cpu() ? MaskAndSumOnHost(gradient, output, ceiling, sums)
                                           : MaskAndSumOnDevice(gradient, output, ceiling, sums);
  if (sums) frame.sink->Put(*layer.beta_parameter, sum);
}

void RunNormaliseBackward(const BackboneLayer& layer, const StepFrame& frame) {
  const auto [of_input, of_gamma, of_beta] = at::native_batch_norm_backward(
      ChannelsFirst(frame.read(0)), ChannelsFirst(frame.read(1)), layer.gamma, {}, {},
      frame.read(2), frame.read(3), true, layer.epsilon, {true, true, true});
  frame.sink->Put(*layer.gamma_parameter, of_gamma);
  frame.sink->Put(*layer.beta_parameter, of_beta);
  frame.write(0) = ChannelsLast(of_input);
}

void RunKernelGradient(const BackboneLayer& layer, const StepFrame& frame) {
  const at::Tensor &gradient = frame.read(0), &input = frame.read(1);
  if (layer.shape.is_pointwise()) {
    frame.sink->PutProduct(*layer.kernel_parameter, Rows(gradient).t(), Rows(input));
  } else {
    frame.sink->Put(*layer.kernel_parameter,
                    KernelGradient(ConvolutionOf(layer), gradient, input, layer.kernel));
  }
}

void RunInputGradient(const BackboneLayer& layer, const StepFrame& frame) {
  const at::Tensor& kernel = layer.normalises_the_batch ? layer.kernel : layer.folded_kernel;
  frame.write(0) = layer.shape.is_pointwise()
                       ? PointwiseInputGradient(layer.shape, frame.read(0), kernel)
                       : InputGradient(ConvolutionOf(layer), frame.read(0), frame.read(1), kernel);
}

void RunScaleBackward(const BackboneLayer&, const StepFrame& frame) {
  const at::Tensor &map = frame.read(1), &numbers = frame.read(2);
  at::Tensor& gradient = frame.write(0);
  if (frame.writes(1)) frame.write(1) = (gradient * map).sum({1, 2}, /*keepdim=*/true);
  gradient.mul_(numbers);
}

void RunGlobalPoolBackward(const BackboneLayer& layer, const StepFrame& frame) {
  frame.write(0) = MeanOfPixelsGradient(Rows(frame.read(0)), layer.input_size);
}

void RunMaxPoolBackward(const BackboneLayer& layer, const StepFrame& frame) {
  frame.write(0) =
      MaxPoolGradient(layer.shape, layer.pads, frame.read(0), frame.read(1), frame.read(2));
}

void RunDenseBackward(const BackboneLayer& layer, const StepFrame& frame) {
  const at::Tensor gradient = Rows(frame.read(0));
  const at::Tensor input = Rows(frame.read(1));
  if (layer.learns) frame.sink->PutProduct(*layer.kernel_parameter, gradient.t(), input);
  if (!frame.writes(0)) return;
  const at::Tensor matrix = layer.folded_kernel.view({layer.shape.out_channels, -1});
  frame.write(0) = Multiply(gradient, matrix).view(frame.read(1).sizes());
}

using Kernel = void (*)(const BackboneLayer&, const StepFrame&);

Kernel KernelOf(Kind kind) {
  switch (kind) {
    case Kind::kPad:
      return RunPad;
    case Kind::kConvolveAndFinish:
      return RunConvolveAndFinish;
    case Kind::kConvolve:
      return RunConvolve;
    case Kind::kNormalise:
      return RunNormalise;
    case Kind::kAdd:
      return RunAdd;
    case Kind::kScale:
      return RunScale;
    case Kind::kActivate:
      return RunActivate;
    case Kind::kGlobalPool:
      return RunGlobalPool;
    case Kind::kMaxPool:
      return RunMaxPool;
    case Kind::kDense:
      return RunDense;
    case Kind::kCopy:
      return RunCopy;
    case Kind::kAccumulate:
      return RunAccumulate;
    case Kind::kActivateBackward:
      return RunActivateBackward;
    case Kind::kMask:
    case Kind::kMaskAndSum:
      return RunMaskAndSum;
    case Kind::kNormaliseBackward:
      return RunNormaliseBackward;
    case Kind::kKernelGradient:
      return RunKernelGradient;
    case Kind::kInputGradient:
      return RunInputGradient;
    case Kind::kScaleBackward:
      return RunScaleBackward;
    case Kind::kGlobalPoolBackward:
      return RunGlobalPoolBackward;
    case Kind::kMaxPoolBackward:
      return RunMaxPoolBackward;
    case Kind::kDenseBackward:
      return RunDenseBackward;
    case Kind::kHead:
    case Kind::kLoss:
    case Kind::kHeadBackward:
      break;
  }
  throw Error(ErrorKind::kInternal, "a step that is not the backbone's");
}

}  // namespace

void RunBackboneStep(const BackboneLayer& layer, const StepFrame& frame) {
  KernelOf(frame.step.kind)(layer, frame);
}

}  // namespace weir
