// The pools of maps [n, h, w, C] in float32, and their gradients. Any thread.
#pragma once

#include <ATen/core/Tensor.h>

#include "stages/model/backbones/network.h"

namespace weir {

// [n, C]: the mean of each channel. On the host each sample's pixels are added in their order, so
// that it does not depend on what is computed beside it; on a device in LibTorch's.
at::Tensor MeanOfPixels(const at::Tensor& map);

// `gradient` is [n, C], and is written over; [n, size, C], contiguous.
at::Tensor MeanOfPixelsGradient(const at::Tensor& gradient, MapSize size);

struct MaxPooled {
  at::Tensor map;
  at::Tensor indices;  // where the largest value under each window lies; int64, of the map's shape
};
MaxPooled MaxPool(const NetworkLayer& layer, const Pads& pads, const at::Tensor& map);

// `map` is what MaxPool read, for its shape; contiguous.
at::Tensor MaxPoolGradient(const NetworkLayer& layer, const Pads& pads, const at::Tensor& gradient,
                           const at::Tensor& map, const at::Tensor& indices);

}  // namespace weir
