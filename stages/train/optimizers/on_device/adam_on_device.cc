#include <cassert>

#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/on_device/device_steps.h"
#include "stages/train/optimizers/on_device/gather_squares.h"

namespace weir {
namespace {

template <class Of>
void Step(const Of& optimizer, const DeviceArrays& arrays, std::uint64_t step,
          double learning_rate) {
  const auto& [values, gradients, slots] = arrays;
  assert(slots.size() == 2);
  const MomentRates& moments = optimizer.params().moments;
  slots[0].lerp_(gradients, 1 - moments.beta_1);
  GatherSquares(slots[1], gradients, moments.beta_2);
  values.addcdiv_(slots[0], slots[1].sqrt().add_(moments.epsilon),
                  -UnbiasedRate(moments, learning_rate, step));
}

}  // namespace

const DeviceStep kAdamOnDevice = DeviceStepOf<Adam, &Step<Adam>>();
const DeviceStep kAdamWOnDevice = DeviceStepOf<AdamW, &Step<AdamW>>();

}  // namespace weir
