#include "stages/device/cuda/torch_arithmetic.h"

#include <ATen/Context.h>

namespace weir {

void UseExactTorchArithmetic() {
  AllowTf32Products(false);
  at::globalContext().setUserEnabledCuDNN(false);
}

void AllowTf32Products(bool allowed) {
  at::globalContext().setFloat32Precision(
      at::Float32Backend::CUDA, at::Float32Op::MATMUL,
      allowed ? at::Float32Precision::TF32 : at::Float32Precision::IEEE);
}

}  // namespace weir
