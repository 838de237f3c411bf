#include "stages/train/optimizers/on_device/optimizer_step_on_device.h"

#include <ATen/ops/linalg_vector_norm.h>

#include <optional>
#include <vector>

#include "stages/train/optimizers/on_device/device_steps.h"

namespace weir {

void ApplyOnDevice(const OptimizerStep& optimizer_step, const DeviceArrays& arrays,
                   std::uint64_t step, double learning_rate) {
  const Optimizer& optimizer = optimizer_step.optimizer();
  const OptimizerOptions& options = optimizer.options();
  const at::Tensor& gradients = arrays.gradients;
  if (options.clip_norm) {
    const at::Tensor norm =
        at::linalg_vector_norm(gradients, 2, std::nullopt, /*keepdim=*/false, at::kDouble);
    gradients.mul_(
        norm.clamp_min(*options.clip_norm).pow_(-1).mul_(*options.clip_norm).add_(norm.sub(norm)));
  }
  if (options.clip_value) gradients.clamp_(-*options.clip_value, *options.clip_value);
  for (const StepSpan& span : optimizer_step.spans()) {
    const auto of = [&](const at::Tensor& run) {
      return run.narrow(0, static_cast<std::int64_t>(span.begin),
                        static_cast<std::int64_t>(span.count));
    };
    const double rate = learning_rate * span.rate_factor;
    if (span.weight_decay != 0) {
      if (options.weight_decay_in == WeightDecayIn::kStep) {
        of(arrays.values).mul_(1 - span.weight_decay * rate);
      } else {
        of(gradients).add_(of(arrays.values), span.weight_decay);
      }
    }
    std::vector<at::Tensor> slots;
    for (const at::Tensor& slot : arrays.slots) slots.push_back(of(slot));
    StepOnDevice(optimizer, {of(arrays.values), of(gradients), slots}, step - span.begun, rate);
  }
}

}  // namespace weir
