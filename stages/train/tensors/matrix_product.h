// Products of float32 matrices, row by row in memory.
//
// On the host by oneDNN's kernels, in the calling thread alone: the bits depend on the operands and
// the processor. The matrix library in LibTorch has less than half their speed on an AMD processor
// with AVX-512. On a device by LibTorch. Any thread. oneDNN packs up to 1.2 MB for as long as a
// product takes, which what is set aside for each worker covers.
#pragma once

#include <ATen/core/Tensor.h>

namespace weir {

// out = left x right. `out` is [m, n] without gaps, the others [m, k] and [k, n], or t() of such.
void MultiplyInto(const at::Tensor& out, const at::Tensor& left, const at::Tensor& right);
at::Tensor Multiply(const at::Tensor& left, const at::Tensor& right);

}  // namespace weir
