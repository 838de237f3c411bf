#include <cassert>

#include "stages/train/optimizers/on_device/device_steps.h"
#include "stages/train/optimizers/sgd.h"

namespace weir {
namespace {

void Step(const Sgd& optimizer, const DeviceArrays& arrays, std::uint64_t, double learning_rate) {
  const auto& [values, gradients, slots] = arrays;
  const Sgd::Params& params = optimizer.params();
  if (!optimizer.has_momentum()) {
    values.add_(gradients, -learning_rate);
    return;
  }
  assert(slots.size() == 1);
  slots[0].mul_(params.momentum).add_(gradients, -learning_rate);
  values.add_(slots[0], params.nesterov ? params.momentum : 1);
  if (params.nesterov) values.add_(gradients, -learning_rate);
}

}  // namespace

const DeviceStep kSgdOnDevice = DeviceStepOf<Sgd, &Step>();

}  // namespace weir
