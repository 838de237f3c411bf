#include <cassert>

#include "stages/train/optimizers/nadam.h"
#include "stages/train/optimizers/on_device/device_steps.h"
#include "stages/train/optimizers/on_device/gather_squares.h"

namespace weir {
namespace {

void Step(const Nadam& optimizer, const DeviceArrays& arrays, std::uint64_t step,
          double learning_rate) {
  const auto& [values, gradients, slots] = arrays;
  assert(slots.size() == 2);
  const MomentRates& moments = optimizer.params().moments;
  const Nadam::Shares shares = optimizer.SharesAt(step);
  slots[0].lerp_(gradients, 1 - moments.beta_1);
  GatherSquares(slots[1], gradients, moments.beta_2);
  const at::Tensor root = slots[1].mul(shares.of_squares).sqrt_().add_(moments.epsilon);
  values.addcdiv_(slots[0], root, -shares.of_mean * learning_rate);
  values.addcdiv_(gradients, root, -shares.of_gradient * learning_rate);
}

}  // namespace

const DeviceStep kNadamOnDevice = DeviceStepOf<Nadam, &Step>();

}  // namespace weir
