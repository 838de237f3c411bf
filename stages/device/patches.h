// A convolution as a matrix product (im2col; Chellapilla, Puri, Simard, "High Performance
// Convolutional Neural Networks for Document Processing", 2006), on a device: cuBLAS computes it
// then, and cuDNN is not asked. For layers in one group. Pure functions; any thread.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/as_strided.h>
#include <ATen/ops/constant_pad_nd.h>

#include <cstdint>

#include "stages/model/backbones/network.h"

namespace weir {

// [n, h, w, K K C], a copy: for each pixel of the output the K x K pixels of `map`, [n, H, W, C],
// that its window lies on; zeros outside. For a 1x1 of stride 1 the map itself. Contiguous.
inline at::Tensor Patches(const NetworkLayer& layer, const Pads& pads, const at::Tensor& map) {
  if (layer.is_pointwise()) return map.contiguous();
  const bool pads_nothing = pads == Pads();
  const at::Tensor padded =
      (pads_nothing
           ? map
           : at::constant_pad_nd(map, {0, 0, pads.left, pads.right, pads.top, pads.bottom}))
          .contiguous();
  const std::int64_t reach = std::int64_t{layer.kernel - 1} * layer.dilation + 1;
  const std::int64_t height = (padded.size(1) - reach) / layer.stride + 1,
                     width = (padded.size(2) - reach) / layer.stride + 1;
  const std::int64_t pixel = padded.size(3), row = padded.size(2) * pixel;
  return at::as_strided(padded, {padded.size(0), height, width, layer.kernel, layer.kernel, pixel},
                        {padded.size(1) * row, layer.stride * row, layer.stride * pixel,
                         layer.dilation * row, layer.dilation * pixel, 1})
      .contiguous()
      .view({padded.size(0), height, width, -1});
}

// What the rows of patches are multiplied with: [out, K K C] from a kernel [out, C, K, K].
inline at::Tensor PatchKernel(const at::Tensor& kernel) {
  return kernel.permute({0, 2, 3, 1}).contiguous().view({kernel.size(0), -1});
}

// Back from there, as the kernel's gradient: [out, C, K, K], a view.
inline at::Tensor KernelOfPatches(const NetworkLayer& layer, const at::Tensor& patch_kernel) {
  return patch_kernel.view({layer.out_channels, layer.kernel, layer.kernel, layer.in_channels})
      .permute({0, 3, 1, 2});
}

}  // namespace weir
