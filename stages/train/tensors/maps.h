// Maps in LibTorch: [n, h, w, C] in float32, as everything behind the prefix has them. Any thread.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>

#include <array>
#include <cstdint>

#include "stages/model/backbones/network.h"

namespace weir {

// LibTorch's order of the dimensions; the memory is the same.
inline at::Tensor ChannelsFirst(const at::Tensor& map) { return map.permute({0, 3, 1, 2}); }
inline at::Tensor ChannelsLast(const at::Tensor& map) {
  return map.permute({0, 2, 3, 1}).contiguous();
}

// The pixels of a map: [n * h * w, C].
inline at::Tensor Rows(const at::Tensor& map) { return map.view({-1, map.size(-1)}); }

// LibTorch's kernels pad both sides of an axis alike: what they cannot do themselves, a padded copy
// of the map does. The map itself where they can.
inline at::Tensor Pad(const at::Tensor& map, const Pads& pads, float value = 0) {
  if (pads.is_symmetric()) return map;
  return at::constant_pad_nd(map, {0, 0, pads.left, pads.right, pads.top, pads.bottom}, value);
}

// What lies inside that copy, or a gradient of its shape: [n, height, width, C], a view.
inline at::Tensor Inside(const at::Tensor& padded, const Pads& pads, std::int64_t height,
                         std::int64_t width) {
  return padded.narrow(1, pads.top, height).narrow(2, pads.left, width);
}

// Arguments of LibTorch's kernels for the two axes.
using AxisPair = std::array<std::int64_t, 2>;
inline AxisPair Both(int value) { return {value, value}; }
// What is left for the kernel to pad, behind Pad.
inline AxisPair PaddingOf(const Pads& pads) {
  return pads.is_symmetric() ? AxisPair{pads.top, pads.left} : AxisPair{0, 0};
}

}  // namespace weir
