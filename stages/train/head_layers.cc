#include "stages/train/head_layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/hardtanh_backward.h>
#include <ATen/ops/max.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>
#include <ATen/ops/zeros.h>

#include <string>
#include <utility>

#include "framework/random.h"
#include "stages/train/matrix_product.h"

namespace weir {
namespace {

using Kind = HeadLayer::Kind;

// [n, h, w, C] as [n, h * w, C].
at::Tensor Pixels(const at::Tensor& map) { return map.view({map.size(0), -1, map.size(3)}); }

// [n, pixels, C] -> [n, C], each sample's pixels added in their order.
at::Tensor MeanInOrder(const at::Tensor& pixels) {
  const std::int64_t samples = pixels.size(0), count = pixels.size(1), channels = pixels.size(2);
  at::Tensor means = at::zeros({samples, channels}, pixels.options());
  const float* pixel = pixels.const_data_ptr<float>();
  for (std::int64_t n = 0; n < samples; ++n) {
    float* const sum = means.mutable_data_ptr<float>() + n * channels;
    for (std::int64_t p = 0; p < count; ++p, pixel += channels) {
      for (std::int64_t c = 0; c < channels; ++c) sum[c] += pixel[c];
    }
  }
  return means.div_(count);
}

class AveragePooling final : public HeadOperation {
 public:
  at::Tensor Forward(const at::Tensor& input, const MicroBatch&, Tape*) const override {
    const at::Tensor pixels = Pixels(input);
    return pixels.is_cpu() ? MeanInOrder(pixels) : at::sum(pixels, 1).div_(pixels.size(1));
  }

  at::Tensor Backward(at::Tensor gradient, Tape& tape, const GradientSink&,
                      bool of_input) const override {
    if (!of_input) return {};
    const std::int64_t pixels = tape.input_shape[1] * tape.input_shape[2];
    return gradient.div_(pixels)
        .view({-1, 1, 1, gradient.size(1)})
        .expand(tape.input_shape)
        .contiguous();
  }
};

class MaxPooling final : public HeadOperation {
 public:
  at::Tensor Forward(const at::Tensor& input, const MicroBatch&, Tape* tape) const override {
    auto [values, places] = at::max(Pixels(input), 1);
    if (tape != nullptr) tape->kept = {places};
    return values;
  }

  at::Tensor Backward(at::Tensor gradient, Tape& tape, const GradientSink&,
                      bool of_input) const override {
    if (!of_input) return {};
    at::Tensor of_map = at::zeros(tape.input_shape, gradient.options());
    Pixels(of_map).scatter_(1, tape.kept[0].unsqueeze(1), gradient.unsqueeze(1));
    return of_map;
  }
};

// In Keras' order: rows, columns, channels.
class Flatten final : public HeadOperation {
 public:
  at::Tensor Forward(const at::Tensor& input, const MicroBatch&, Tape*) const override {
    return input.view({input.size(0), -1});
  }

  at::Tensor Backward(at::Tensor gradient, Tape& tape, const GradientSink&,
                      bool of_input) const override {
    return of_input ? gradient.view(tape.input_shape) : at::Tensor();
  }
};

// What is kept is scaled up by 1 / (1 - rate), so that inference needs nothing (Srivastava et al.,
// 2014, inverted).
class Dropout final : public HeadOperation {
 public:
  Dropout(double rate, std::uint64_t seed, int layer)
      : rate_(rate), seed_(seed), use_("dropout/" + std::to_string(layer)) {}

  at::Tensor Forward(const at::Tensor& input, const MicroBatch& micro_batch,
                     Tape* tape) const override {
    if (tape == nullptr) return input;
    const at::Tensor mask = Mask(input, micro_batch);
    tape->kept = {mask};
    return input * mask;
  }

  at::Tensor Backward(at::Tensor gradient, Tape& tape, const GradientSink&,
                      bool of_input) const override {
    return of_input ? gradient.mul_(tape.kept[0]) : at::Tensor();
  }

 private:
  at::Tensor Mask(const at::Tensor& input, const MicroBatch& micro_batch) const {
    at::Tensor mask = at::empty(input.sizes(), at::kFloat);
    float* value = mask.mutable_data_ptr<float>();
    const std::int64_t values = input.numel() / input.size(0);
    const auto dropped_below = static_cast<std::uint32_t>(rate_ * 0x1p32);
    const auto scale = static_cast<float>(1 / (1 - rate_));
    for (const Sample& sample : micro_batch.samples) {
      CounterRandom random(seed_, use_, micro_batch.epoch, sample.index);
      for (std::int64_t i = 0; i < values; ++i) {
        *value++ = random.Next() < dropped_below ? 0 : scale;
      }
    }
    return mask.to(input.device());
  }

  double rate_;
  std::uint64_t seed_;
  std::string use_;
};

// Over the last dimension, by Keras' rule: moving = moving * momentum + batch * (1 - momentum),
// with the biased variance.
class BatchNorm final : public HeadOperation {
 public:
  BatchNorm(const HeadLayer& layer, const std::string& name, const ParameterArrays& arrays)
      : momentum_(layer.momentum),
        epsilon_(layer.epsilon),
        gamma_parameter_(arrays.tables.learning.at(name + ".weight")),
        beta_parameter_(arrays.tables.learning.at(name + ".bias")),
        gamma_(View(arrays.values, gamma_parameter_)),
        beta_(View(arrays.values, beta_parameter_)),
        mean_(View(arrays.statistics, arrays.tables.statistics.at(name + ".running_mean"))),
        variance_(View(arrays.statistics, arrays.tables.statistics.at(name + ".running_var"))) {}

  at::Tensor Forward(const at::Tensor& input, const MicroBatch&, Tape* tape) const override {
    const at::Tensor rows = input.view({-1, input.size(-1)});
    auto [output, mean, inverse_deviation] =
        at::native_batch_norm(rows, gamma_, beta_, mean_, variance_, tape != nullptr, 0, epsilon_);
    if (tape != nullptr) {
      tape->kept = {rows, mean, inverse_deviation};
      mean_.mul_(momentum_).add_(mean, 1 - momentum_);
      variance_.mul_(momentum_).add_(inverse_deviation.pow(-2).sub_(epsilon_), 1 - momentum_);
    }
    return output.view(input.sizes());
  }

  at::Tensor Backward(at::Tensor gradient, Tape& tape, const GradientSink& sink,
                      bool of_input) const override {
    const auto [of_rows, of_gamma, of_beta] = at::native_batch_norm_backward(
        gradient.view({-1, gradient.size(-1)}), tape.kept[0], gamma_, {}, {}, tape.kept[1],
        tape.kept[2], true, epsilon_, {of_input, true, true});
    sink.Put(gamma_parameter_, of_gamma);
    sink.Put(beta_parameter_, of_beta);
    return of_input ? of_rows.view(tape.input_shape) : at::Tensor();
  }

 private:
  double momentum_, epsilon_;
  const Parameter& gamma_parameter_;
  const Parameter& beta_parameter_;
  at::Tensor gamma_, beta_;
  mutable at::Tensor mean_, variance_;
};

class Dense final : public HeadOperation {
 public:
  Dense(Activation activation, const std::string& name, const ParameterArrays& arrays)
      : activation_(activation),
        weight_parameter_(arrays.tables.learning.at(name + ".weight")),
        bias_parameter_(arrays.tables.learning.at(name + ".bias")),
        weight_(View(arrays.values, weight_parameter_)),
        bias_(View(arrays.values, bias_parameter_)) {}

  at::Tensor Forward(const at::Tensor& input, const MicroBatch&, Tape* tape) const override {
    at::Tensor output = Multiply(input, weight_.t()).add_(bias_);
    Activate(output);
    if (tape != nullptr) tape->kept = {input, output};
    return output;
  }

  at::Tensor Backward(at::Tensor gradient, Tape& tape, const GradientSink& sink,
                      bool of_input) const override {
    const at::Tensor slope = ActivateBackward(std::move(gradient), tape.kept[1]);
    sink.PutProduct(weight_parameter_, slope.t(), tape.kept[0]);
    sink.PutRowSum(bias_parameter_, slope);
    return of_input ? Multiply(slope, weight_) : at::Tensor();
  }

 private:
  void Activate(at::Tensor& output) const {
    switch (activation_) {
      case Activation::kLinear:
      case Activation::kSoftmax:
        return;
      case Activation::kRelu:
        at::relu_(output);
        return;
      case Activation::kRelu6:
        at::hardtanh_(output, 0, 6);
        return;
      case Activation::kSigmoid:
        at::sigmoid_(output);
        return;
      case Activation::kTanh:
        at::tanh_(output);
        return;
    }
  }

  // Each derivative is known from the output alone.
  at::Tensor ActivateBackward(at::Tensor gradient, const at::Tensor& output) const {
    switch (activation_) {
      case Activation::kLinear:
      case Activation::kSoftmax:
        return gradient;
      case Activation::kRelu:
        return at::threshold_backward_out(gradient, gradient, output, 0);
      case Activation::kRelu6:
        return at::hardtanh_backward_out(gradient, gradient, output, 0, 6);
      case Activation::kSigmoid:
        return at::sigmoid_backward_out(gradient, gradient, output);
      case Activation::kTanh:
        return at::tanh_backward_out(gradient, gradient, output);
    }
    return gradient;
  }

  Activation activation_;
  const Parameter& weight_parameter_;
  const Parameter& bias_parameter_;
  at::Tensor weight_, bias_;
};

std::unique_ptr<HeadOperation> Make(const Model& model, int index, const ParameterArrays& arrays) {
  const HeadLayer& layer = model.head()[index];
  const std::string name = "head." + std::to_string(index);
  switch (layer.kind) {
    case Kind::kGlobalAveragePooling:
      return std::make_unique<AveragePooling>();
    case Kind::kGlobalMaxPooling:
      return std::make_unique<MaxPooling>();
    case Kind::kFlatten:
      return std::make_unique<Flatten>();
    case Kind::kDropout:
      return std::make_unique<Dropout>(layer.rate, model.seed(), index);
    case Kind::kBatchNorm:
      return std::make_unique<BatchNorm>(layer, name, arrays);
    case Kind::kDense:
      return std::make_unique<Dense>(layer.activation, name, arrays);
  }
  return nullptr;
}

}  // namespace

std::vector<std::unique_ptr<HeadOperation>> MakeHead(const Model& model,
                                                     const ParameterArrays& arrays) {
  std::vector<std::unique_ptr<HeadOperation>> head;
  for (int i = model.first_head_layer(); i < static_cast<int>(model.head().size()); ++i) {
    head.push_back(Make(model, i, arrays));
  }
  return head;
}

}  // namespace weir
