#include <cassert>

#include "stages/train/optimizers/lion.h"
#include "stages/train/optimizers/on_device/device_steps.h"

namespace weir {
namespace {

void Step(const Lion& optimizer, const DeviceArrays& arrays, std::uint64_t, double learning_rate) {
  const auto& [values, gradients, slots] = arrays;
  assert(slots.size() == 1);
  const Lion::Params& params = optimizer.params();
  const at::Tensor direction = slots[0].mul(params.beta_1).add_(gradients, 1 - params.beta_1);
  values.add_(direction.sign().add_(direction, 0), -learning_rate);
  slots[0].mul_(params.beta_2).add_(gradients, 1 - params.beta_2);
}

}  // namespace

const DeviceStep kLionOnDevice = DeviceStepOf<Lion, &Step>();

}  // namespace weir
