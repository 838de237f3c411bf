#include <cassert>

#include "stages/train/optimizers/on_device/device_steps.h"
#include "stages/train/optimizers/on_device/gather_squares.h"
#include "stages/train/optimizers/rmsprop.h"

namespace weir {
namespace {

void Step(const Rmsprop& optimizer, const DeviceArrays& arrays, std::uint64_t,
          double learning_rate) {
  const auto& [values, gradients, slots] = arrays;
  assert(slots.size() == optimizer.slot_names().size());
  const Rmsprop::Params& params = optimizer.params();
  GatherSquares(slots[0], gradients, params.rho);
  const at::Tensor root = slots[0].add(params.epsilon).sqrt_();
  if (!optimizer.has_momentum()) {
    values.addcdiv_(gradients, root, -learning_rate);
    return;
  }
  slots[1].mul_(params.momentum).addcdiv_(gradients, root, learning_rate);
  values.sub_(slots[1]);
}

}  // namespace

const DeviceStep kRmspropOnDevice = DeviceStepOf<Rmsprop, &Step>();

}  // namespace weir
