// What several optimizers do to tensors in the same way. Internal to this folder; any thread, on
// tensors of its own.
#pragma once

#include <ATen/core/Tensor.h>

namespace weir {

// gradients + decay * values: weight decay as a part of the gradient.
inline at::Tensor Slope(const at::Tensor& values, const at::Tensor& gradients, double decay) {
  return decay == 0 ? gradients : gradients.add(values, decay);
}

// square becomes rho * square + (1 - rho) * slope^2.
inline void GatherSquares(const at::Tensor& square, const at::Tensor& slope, double rho) {
  square.mul_(rho).addcmul_(slope, slope, 1 - rho);
}

}  // namespace weir
