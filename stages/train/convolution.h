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

// What the layer's activation holds its map under, at 0 from below: 6, infinity, or nothing where
// it has none. Throws Error(kInternal) for one that is no such clipping.
std::optional<float> CeilingOf(const NetworkLayer& layer);

// Whether Pad copies.
bool PadsUnevenly(const Pads& pads);

// The map with zeros around it where the convolution cannot pad by itself; else the map.
at::Tensor Pad(const at::Tensor& map, const Pads& pads);

// `padded` is what Pad gave; `kernel` is OIHW. The convolution alone.
at::Tensor Convolve(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                    const at::Tensor& kernel);

// With its bias, the map that is added to it, where `added` is defined, and then the layer's
// activation, which has a ceiling or is none.
at::Tensor ConvolveAndFinish(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                             const at::Tensor& kernel, const at::Tensor& bias,
                             const at::Tensor& added);

struct ConvolutionGradients {
  at::Tensor input;   // of the map before Pad, contiguous; undefined where not asked for
  at::Tensor kernel;  // undefined where not asked for, and for a 1x1: Rows(gradient)^T Rows(input)
};

// `gradient` is contiguous, of the shape of the output.
ConvolutionGradients ConvolveBackward(const NetworkLayer& layer, const Pads& pads,
                                      const at::Tensor& gradient, const at::Tensor& padded,
                                      const at::Tensor& kernel, bool of_input, bool of_kernel);

// The pixels of a map: [n * h * w, C].
at::Tensor Rows(const at::Tensor& map);

}  // namespace weir
