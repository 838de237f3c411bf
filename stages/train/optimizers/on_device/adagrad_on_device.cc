#include <cassert>

#include "stages/train/optimizers/adagrad.h"
#include "stages/train/optimizers/on_device/device_steps.h"

namespace weir {
namespace {

void Step(const Adagrad& optimizer, const DeviceArrays& arrays, std::uint64_t,
          double learning_rate) {
  assert(arrays.slots.size() == 1);
  const at::Tensor& squares = arrays.slots[0];
  squares.addcmul_(arrays.gradients, arrays.gradients);
  arrays.values.addcdiv_(arrays.gradients, squares.add(optimizer.params().epsilon).sqrt_(),
                         -learning_rate);
}

}  // namespace

const DeviceStep kAdagradOnDevice = DeviceStepOf<Adagrad, &Step>();

}  // namespace weir
