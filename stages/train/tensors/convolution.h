// One convolution of the backbone and its gradients, over maps [n, h, w, C] in float32.
//
// A 1x1 is a matrix product over the pixels (matrix_product.h); on the host what follows it is done
// while its rows are in the cache. On the host others go to LibTorch's oneDNN. On a device those in
// one group are products over patches of pixels (patches.h), the 3x3 depthwise ones are the
// device's own, and what is left is LibTorch's. Padding that is not symmetric takes a padded copy
// of the map. Pure functions; any thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "stages/device/depthwise_kernels.h"
#include "stages/model/backbones/network.h"

namespace weir {

// Which convolution it is, and who computes it where it is depthwise: null where LibTorch does.
struct Convolution {
  const NetworkLayer& layer;
  const Pads& pads;
  const DepthwiseKernels* depthwise = nullptr;  // the device's where the maps are

  bool is_own() const { return depthwise != nullptr && DepthwiseKernels::Know(layer); }
};

// `padded` is what Pad gave (maps.h); `kernel` is OIHW. The convolution alone.
at::Tensor Convolve(const Convolution& it, const at::Tensor& padded, const at::Tensor& kernel);

// The convolution with its bias and the map that is added to it, where `added` is defined; then
// held between 0 and `ceiling`, where there is one.
at::Tensor ConvolveAndFinish(const Convolution& it, const at::Tensor& padded,
                             const at::Tensor& kernel, const at::Tensor& bias,
                             const at::Tensor& added, std::optional<float> ceiling);

// The gradients. `gradient` is of the output, contiguous; `padded` is what the convolution read, as
// Pad gave it. The kernel's of a 1x1 is Rows(gradient)^T Rows(padded), and left to the caller. That
// of the input is of the map before Pad, and contiguous.
at::Tensor KernelGradient(const Convolution& it, const at::Tensor& gradient,
                          const at::Tensor& padded, const at::Tensor& kernel);
at::Tensor InputGradient(const Convolution& it, const at::Tensor& gradient,
                         const at::Tensor& padded, const at::Tensor& kernel);
at::Tensor PointwiseInputGradient(const NetworkLayer& layer, const at::Tensor& gradient,
                                  const at::Tensor& kernel);

}  // namespace weir
