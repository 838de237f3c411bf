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
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>
#include <ATen/ops/zeros.h>

#include <string>
#include <utility>

#include "framework/random.h"
#include "stages/train/maps.h"
#include "stages/train/matrix_product.h"
#include "stages/train/pooling.h"

namespace weir {
namespace {

using Kind = HeadLayer::Kind;

using Dims = std::vector<std::int64_t>;

// The shape of what the layer reads, of as many samples as `gradient` has.
Dims InputShape(const Dims& input_dims, const at::Tensor& gradient) {
  Dims shape = {gradient.size(0)};
  shape.insert(shape.end(), input_dims.begin(), input_dims.end());
  return shape;
}

// [n, h, w, C] as [n, h * w, C].
at::Tensor Pixels(const at::Tensor& map) { return map.view({map.size(0), -1, map.size(3)}); }

class AveragePooling final : public HeadOperation {
 public:
  explicit AveragePooling(const Dims& input)
      : input_{.height = static_cast<int>(input[0]), .width = static_cast<int>(input[1])} {}

  void Forward(const StepFrame& frame, const MicroBatch&) const override {
    frame.write(0) = MeanOfPixels(frame.read(0));
  }

  void Backward(const StepFrame& frame) const override {
    if (frame.writes(0)) frame.write(0) = MeanOfPixelsGradient(frame.read(0), input_);
  }

 private:
  MapSize input_;
};

class MaxPooling final : public HeadOperation {
 public:
  explicit MaxPooling(Dims input) : input_(std::move(input)) {}

  void Forward(const StepFrame& frame, const MicroBatch&) const override {
    auto [values, indices] = at::max(Pixels(frame.read(0)), 1);
    frame.write(0) = values;
    if (frame.writes(1)) frame.write(1) = indices;
  }

  void Backward(const StepFrame& frame) const override {
    if (!frame.writes(0)) return;
    const at::Tensor &gradient = frame.read(0), &indices = frame.read(1);
    at::Tensor of_map = at::zeros(InputShape(input_, gradient), gradient.options());
    Pixels(of_map).scatter_(1, indices.unsqueeze(1), gradient.unsqueeze(1));
    frame.write(0) = of_map;
  }

 private:
  Dims input_;
};

// In Keras' order: rows, columns, channels.
class Flatten final : public HeadOperation {
 public:
  explicit Flatten(Dims input) : input_(std::move(input)) {}

  void Forward(const StepFrame& frame, const MicroBatch&) const override {
    frame.write(0) = frame.read(0).view({frame.read(0).size(0), -1});
  }

  void Backward(const StepFrame& frame) const override {
    if (frame.writes(0)) frame.write(0) = frame.read(0).view(InputShape(input_, frame.read(0)));
  }

 private:
  Dims input_;
};

// What is kept is scaled up by 1 / (1 - rate), so that inference needs nothing (Srivastava et al.,
// 2014, inverted).
class Dropout final : public HeadOperation {
 public:
  Dropout(double rate, std::uint64_t seed, int layer)
      : rate_(rate), seed_(seed), use_("dropout/" + std::to_string(layer)) {}

  void Forward(const StepFrame& frame, const MicroBatch& micro_batch) const override {
    const at::Tensor input = frame.read(0);
    if (!frame.writes(1)) {
      frame.write(0) = input;
      return;
    }
    frame.write(1) = Mask(input, micro_batch);
    frame.write(0) = input * frame.write(1);
  }

  void Backward(const StepFrame& frame) const override {
    if (frame.writes(0)) frame.write(0) = frame.read(0).mul_(frame.read(1));
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

  void Forward(const StepFrame& frame, const MicroBatch&) const override {
    const at::Tensor& input = frame.read(0);
    const bool learning = frame.writes(1);
    auto [output, mean, inverse_deviation] =
        at::native_batch_norm(Rows(input), gamma_, beta_, mean_, variance_, learning, 0, epsilon_);
    frame.write(0) = output.view(input.sizes());
    if (!learning) return;
    frame.write(1) = mean;
    frame.write(2) = inverse_deviation;
    mean_.mul_(momentum_).add_(mean, 1 - momentum_);
    variance_.mul_(momentum_).add_(inverse_deviation.pow(-2).sub_(epsilon_), 1 - momentum_);
  }

  void Backward(const StepFrame& frame) const override {
    const at::Tensor &gradient = frame.read(0), &input = frame.read(1);
    const auto [of_rows, of_gamma, of_beta] = at::native_batch_norm_backward(
        Rows(gradient), Rows(input), gamma_, {}, {}, frame.read(2), frame.read(3), true, epsilon_,
        {frame.writes(0), true, true});
    frame.sink->Put(gamma_parameter_, of_gamma);
    frame.sink->Put(beta_parameter_, of_beta);
    if (frame.writes(0)) frame.write(0) = of_rows.view(input.sizes());
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

  void Forward(const StepFrame& frame, const MicroBatch&) const override {
    at::Tensor output = Multiply(frame.read(0), weight_.t()).add_(bias_);
    Activate(output);
    frame.write(0) = output;
  }

  void Backward(const StepFrame& frame) const override {
    const at::Tensor slope = ActivateBackward(frame.read(0), frame.read(2));
    frame.sink->PutProduct(weight_parameter_, slope.t(), frame.read(1));
    frame.sink->PutRowSum(bias_parameter_, slope);
    if (frame.writes(0)) frame.write(0) = Multiply(slope, weight_);
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
      return std::make_unique<AveragePooling>(model.head_input_dims(index));
    case Kind::kGlobalMaxPooling:
      return std::make_unique<MaxPooling>(model.head_input_dims(index));
    case Kind::kFlatten:
      return std::make_unique<Flatten>(model.head_input_dims(index));
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
  std::vector<std::unique_ptr<HeadOperation>> head(model.first_head_layer());
  for (int i = model.first_head_layer(); i < static_cast<int>(model.head().size()); ++i) {
    head.push_back(Make(model, i, arrays));
  }
  return head;
}

}  // namespace weir
