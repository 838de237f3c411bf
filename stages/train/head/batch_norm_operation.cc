#include "stages/train/head/batch_norm_operation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>

#include "stages/model/head/batch_norm_layer.h"
#include "stages/train/tensors/maps.h"

namespace weir {
namespace {

// Over the last dimension, by Keras' rule: moving = moving * momentum + batch * (1 - momentum),
// with the biased variance.
class BatchNormOperation final : public HeadOperation {
 public:
  static HeadPlan Plan(const BatchNormLayer&, const Shape& input, bool learning) {
    const std::int64_t channels = input.back();
    if (!learning) return {.forward_scratch = {.fixed = 2 * channels}};
    return {.kept = {{.fixed = channels}, {.fixed = channels}},
            .reads_input = true,
            .forward_scratch = {.fixed = 3 * channels},
            // Gamma's and beta's; measured: LibTorch's batch norm takes a map in passing.
            .backward_scratch = {.per_sample = PerSample(input).per_sample, .fixed = 2 * channels}};
  }

  BatchNormOperation(const BatchNormLayer& layer, const HeadContext& context)
      : momentum_(layer.momentum()),
        epsilon_(layer.epsilon()),
        gamma_parameter_(context.parameter("weight")),
        beta_parameter_(context.parameter("bias")),
        gamma_(context.values("weight")),
        beta_(context.values("bias")),
        mean_(context.statistic("running_mean")),
        variance_(context.statistic("running_var")) {}

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

}  // namespace

const HeadOperationKind kBatchNormOperation = HeadOperationOf<BatchNormLayer, BatchNormOperation>();

}  // namespace weir
