// DepthwiseKernels on a GPU, by weir's own kernels (kernels.h). Holds nothing; any thread that has
// the device and its stream as LibTorch's current ones.
#pragma once

#include "stages/device/depthwise_kernels.h"

namespace weir {

class CudaDepthwise final : public DepthwiseKernels {
 public:
  at::Tensor Forward(const DepthwiseMaps& maps, const at::Tensor& input, const at::Tensor& kernel,
                     const at::Tensor& bias, std::optional<float> ceiling) const override;
  at::Tensor InputGradient(const DepthwiseMaps& maps, const at::Tensor& gradient,
                           const at::Tensor& kernel) const override;
  at::Tensor KernelGradient(const DepthwiseMaps& maps, const at::Tensor& gradient,
                            const at::Tensor& input) const override;
};

}  // namespace weir
