// One convolution of the backbone and its gradients, over maps [n, h, w, C] in float32.
//
// A 1x1 is a matrix product over the pixels (matrix_product.h); on the host what follows it is done
// while its rows are in the cache. Others go to LibTorch's oneDNN. Padding that is not symmetric
// takes a padded copy of the map. Pure functions; any thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "stages/model/backbones/network.h"

namespace weir {

// `padded` is what Pad gave (maps.h); `kernel` is OIHW. The convolution alone.
at::Tensor Convolve(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                    const at::Tensor& kernel);

// The convolution with its bias and the map that is added to it, where `added` is defined; then
// held between 0 and `ceiling`, where there is one.
at::Tensor ConvolveAndFinish(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                             const at::Tensor& kernel, const at::Tensor& bias,
                             const at::Tensor& added, std::optional<float> ceiling);

// The gradients. `gradient` is of the output, contiguous; `padded` is what the convolution read, as
// Pad gave it. The kernel's of a 1x1 is Rows(gradient)^T Rows(padded), and left to the caller. That
// of the input is of the map before Pad, and contiguous.
at::Tensor KernelGradient(const NetworkLayer& layer, const Pads& pads, const at::Tensor& gradient,
                          const at::Tensor& padded, const at::Tensor& kernel);
at::Tensor InputGradient(const NetworkLayer& layer, const Pads& pads, const at::Tensor& gradient,
                         const at::Tensor& padded, const at::Tensor& kernel);
at::Tensor PointwiseInputGradient(const NetworkLayer& layer, const at::Tensor& gradient,
                                  const at::Tensor& kernel);

}  // namespace weir
