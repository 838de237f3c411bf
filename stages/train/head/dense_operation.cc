#include "stages/train/head/dense_operation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/hardtanh_backward.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>

#include "stages/model/head/dense_layer.h"
#include "stages/train/tensors/matrix_product.h"

namespace weir {
namespace {

class DenseOperation final : public HeadOperation {
 public:
  static HeadPlan Plan(const DenseLayer& layer, const Shape& input, bool) {
    return {.reads_input = true,
            .reads_output = true,
            .backward_scratch = {.fixed = PerSample(input).per_sample * layer.units()}};
  }

  DenseOperation(const DenseLayer& layer, const HeadContext& context)
      : activation_(layer.activation()),
        weight_parameter_(context.parameter("weight")),
        bias_parameter_(context.parameter("bias")),
        weight_(context.values("weight")),
        bias_(context.values("bias")) {}

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

}  // namespace

const HeadOperationKind kDenseOperation = HeadOperationOf<DenseLayer, DenseOperation>();

}  // namespace weir
