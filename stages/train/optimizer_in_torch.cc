// Optimizer::Step by LibTorch's operations: the same sums as in optimizer.cc, on any of its
// devices.
#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>

#include <cassert>
#include <cmath>

#include "stages/train/optimizer.h"

namespace weir {
namespace {

using Kind = OptimizerConfig::Kind;

at::Tensor Slope(const at::Tensor& values, const at::Tensor& gradients, double decay) {
  return decay == 0 ? gradients : gradients.add(values, decay);
}

// rho * square + (1 - rho) * slope^2.
void GatherSquares(const at::Tensor& square, const at::Tensor& slope, double rho) {
  square.mul_(rho).addcmul_(slope, slope, 1 - rho);
}

}  // namespace

void Optimizer::Step(const at::Tensor& values, const at::Tensor& gradients,
                     std::span<const at::Tensor> slots, std::uint64_t step,
                     double learning_rate) const {
  assert(slots.size() == slot_names_.size() && step > 0);
  const c10::InferenceMode inference;
  const double rate = learning_rate;
  const bool decoupled = config_.kind == Kind::kAdamW;
  const at::Tensor slope = Slope(values, gradients, decoupled ? 0 : config_.weight_decay);
  switch (config_.kind) {
    case Kind::kAdam:
    case Kind::kAdamW: {
      const double count = static_cast<double>(step);
      const double alpha = rate * std::sqrt(1 - std::pow(config_.beta_2, count)) /
                           (1 - std::pow(config_.beta_1, count));
      slots[0].lerp_(slope, 1 - config_.beta_1);
      GatherSquares(slots[1], slope, config_.beta_2);
      if (decoupled) values.mul_(1 - config_.weight_decay * rate);
      values.addcdiv_(slots[0], slots[1].sqrt().add_(config_.epsilon), -alpha);
      return;
    }
    case Kind::kSgd: {
      if (config_.momentum == 0) {
        values.add_(slope, -rate);
        return;
      }
      slots[0].mul_(config_.momentum).add_(slope, -rate);
      values.add_(slots[0], config_.nesterov ? config_.momentum : 1);
      if (config_.nesterov) values.add_(slope, -rate);
      return;
    }
    case Kind::kRmsprop: {
      GatherSquares(slots[0], slope, config_.rho);
      const at::Tensor root = slots[0].add(config_.epsilon).sqrt_();
      if (config_.momentum == 0) {
        values.addcdiv_(slope, root, -rate);
        return;
      }
      slots[1].mul_(config_.momentum).addcdiv_(slope, root, rate);
      values.sub_(slots[1]);
      return;
    }
  }
}

}  // namespace weir
