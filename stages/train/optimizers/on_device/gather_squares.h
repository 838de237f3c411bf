// The mean square of gradients that several optimizers keep, as tensors. Internal to this folder;
// any thread, on tensors of its own.
#pragma once

#include <ATen/core/Tensor.h>

namespace weir {

// square becomes rho * square + (1 - rho) * gradients^2.
inline void GatherSquares(const at::Tensor& square, const at::Tensor& gradients, double rho) {
  square.mul_(rho).addcmul_(gradients, gradients, 1 - rho);
}

}  // namespace weir
