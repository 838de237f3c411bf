#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/where.h>

#include <cassert>
#include <optional>

#include "stages/train/optimizers/lamb.h"
#include "stages/train/optimizers/on_device/device_steps.h"
#include "stages/train/optimizers/on_device/gather_squares.h"

namespace weir {
namespace {

at::Tensor Norm(const at::Tensor& of) {
  return at::linalg_vector_norm(of, 2, std::nullopt, /*keepdim=*/false, at::kDouble);
}

void Step(const Lamb& optimizer, const DeviceArrays& arrays, std::uint64_t step,
          double learning_rate) {
  const auto& [values, gradients, slots] = arrays;
  assert(slots.size() == 2);
  const MomentRates& moments = optimizer.params().moments;
  slots[0].lerp_(gradients, 1 - moments.beta_1);
  GatherSquares(slots[1], gradients, moments.beta_2);
  const at::Tensor adam = slots[1]
                              .mul(Unbiasing(moments.beta_2, step))
                              .sqrt_()
                              .add_(moments.epsilon)
                              .reciprocal_()
                              .mul_(slots[0])
                              .mul_(Unbiasing(moments.beta_1, step));
  const at::Tensor length = Norm(values), of_step = Norm(adam);
  const at::Tensor trust =
      at::where(length.gt(0).logical_and(of_step.gt(0)), length.div(of_step), 1.0);
  values.sub_(adam.mul_(trust.mul(learning_rate)));
}

}  // namespace

const DeviceStep kLambOnDevice = DeviceStepOf<Lamb, &Step>();

}  // namespace weir
