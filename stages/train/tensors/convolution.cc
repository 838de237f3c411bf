#include "stages/train/tensors/convolution.h"

#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/hardtanh.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <tuple>

#include "stages/device/patches.h"
#include "stages/features/onednn/onednn_failure.h"
#include "stages/kernels/depthwise_gradient.h"
#include "stages/kernels/map_kernels.h"
#include "stages/train/tensors/maps.h"
#include "stages/train/tensors/matrix_product.h"

namespace weir {
namespace {

constexpr std::int64_t kCachedValues = std::int64_t{1} << 17;  // 512 KB
constexpr std::int64_t kLeastRows = 96;

constexpr AxisPair kNone = {0, 0};

at::Tensor MatrixOf(const NetworkLayer& layer, const at::Tensor& kernel) {
  return kernel.view({layer.out_channels, layer.in_channels});
}

// What Pad has left for the convolution to pad.
Pads PadsLeft(const Pads& pads) { return pads.is_symmetric() ? pads : Pads(); }

MapSize SizeOf(const at::Tensor& map) {
  return {.height = static_cast<int>(map.size(1)), .width = static_cast<int>(map.size(2))};
}

// The size of the map that Pad was given.
MapSize SizeBeforePad(const Pads& pads, const at::Tensor& padded) {
  const MapSize size = SizeOf(padded);
  if (pads.is_symmetric()) return size;
  return {size.height - pads.top - pads.bottom, size.width - pads.left - pads.right};
}

// For 3x3 kernels. `input` and `pads` belong together: before Pad or behind it.
DepthwiseMaps MapsOf(const Convolution& it, const at::Tensor& any, MapSize input,
                     const Pads& pads) {
  const auto out = [&](int size, int pad) { return (size + pad - 3) / it.layer.stride + 1; };
  return {.count = any.size(0),
          .channels = any.size(3),
          .in_height = input.height,
          .in_width = input.width,
          .out_height = out(input.height, pads.top + pads.bottom),
          .out_width = out(input.width, pads.left + pads.right),
          .stride = it.layer.stride,
          .pad_top = pads.top,
          .pad_left = pads.left};
}
DepthwiseMaps MapsOf(const Convolution& it, const at::Tensor& padded) {
  return MapsOf(it, padded, SizeOf(padded), PadsLeft(it.pads));
}

// Whether it is a product over patches: a 1x1, and on a device whatever LibTorch would ask cuDNN.
bool IsProduct(const NetworkLayer& layer, const at::Tensor& map) {
  return layer.is_pointwise() || (layer.groups == 1 && !map.is_cpu());
}

at::Tensor ConvolveByProduct(const Convolution& it, const at::Tensor& padded,
                             const at::Tensor& kernel) {
  const at::Tensor patches = Patches(it.layer, PadsLeft(it.pads), padded);
  return Multiply(Rows(patches), PatchKernel(kernel).t())
      .view({patches.size(0), patches.size(1), patches.size(2), it.layer.out_channels});
}

at::Tensor ConvolveInTorch(const Convolution& it, const at::Tensor& padded,
                           const at::Tensor& kernel, const at::Tensor& bias) {
  return ChannelsLast(InOneDnn("a convolution", [&] {
    return at::convolution(ChannelsFirst(padded), kernel, bias, Both(it.layer.stride),
                           PaddingOf(it.pads), Both(it.layer.dilation), false, kNone,
                           it.layer.groups);
  }));
}

at::Tensor MapOf(const at::Tensor& rows, const at::Tensor& input) {
  return rows.view({input.size(0), input.size(1), input.size(2), rows.size(1)});
}

at::Tensor GradientOfDepthwise(const Convolution& it, const at::Tensor& gradient,
                               const at::Tensor& padded) {
  assert(gradient.is_contiguous() && padded.is_contiguous() && it.layer.kernel == 3);
  at::Tensor of_kernel = at::empty({it.layer.out_channels, 1, 3, 3}, gradient.options());
  DepthwiseKernelGradient(MapsOf(it, padded), gradient.const_data_ptr<float>(),
                          padded.const_data_ptr<float>(), of_kernel.mutable_data_ptr<float>());
  return of_kernel;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> GradientsInTorch(const Convolution& it,
                                                                const at::Tensor& gradient,
                                                                const at::Tensor& padded,
                                                                const at::Tensor& kernel,
                                                                std::array<bool, 3> wanted) {
  return InOneDnn("the gradients of a convolution", [&] {
    return at::convolution_backward(ChannelsFirst(gradient), ChannelsFirst(padded), kernel, {},
                                    Both(it.layer.stride), PaddingOf(it.pads),
                                    Both(it.layer.dilation), false, kNone, it.layer.groups, wanted);
  });
}

// A part of the rows at a time, so that they are finished before they leave the cache.
at::Tensor PointwiseOnHost(const NetworkLayer& layer, const at::Tensor& input,
                           const at::Tensor& kernel, const at::Tensor& bias,
                           const at::Tensor& added, std::optional<float> ceiling) {
  const at::Tensor rows = Rows(input), matrix = MatrixOf(layer, kernel).t();
  const std::int64_t count = rows.size(0), channels = layer.out_channels;
  const at::Tensor out = at::empty({count, channels}, rows.options());
  const std::int64_t part = std::max(kLeastRows, kCachedValues / channels);
  for (std::int64_t begin = 0; begin < count; begin += part) {
    const std::int64_t size = std::min(part, count - begin);
    MultiplyInto(out.narrow(0, begin, size), rows.narrow(0, begin, size), matrix);
    const std::int64_t first = begin * channels;
    FinishRows(out.mutable_data_ptr<float>() + first, size, channels, bias.const_data_ptr<float>(),
               added.defined() ? added.const_data_ptr<float>() + first : nullptr, ceiling);
  }
  return MapOf(out, input);
}

}  // namespace

at::Tensor Convolve(const Convolution& it, const at::Tensor& padded, const at::Tensor& kernel) {
  if (it.is_own()) return it.depthwise->Forward(MapsOf(it, padded), padded, kernel, {}, {});
  if (IsProduct(it.layer, padded)) return ConvolveByProduct(it, padded, kernel);
  return ConvolveInTorch(it, padded, kernel, {});
}

at::Tensor ConvolveAndFinish(const Convolution& it, const at::Tensor& padded,
                             const at::Tensor& kernel, const at::Tensor& bias,
                             const at::Tensor& added, std::optional<float> ceiling) {
  if (it.layer.is_pointwise() && padded.is_cpu()) {
    return PointwiseOnHost(it.layer, padded, kernel, bias, added, ceiling);
  }
  if (it.is_own() && !added.defined()) {
    return it.depthwise->Forward(MapsOf(it, padded), padded, kernel, bias, ceiling);
  }
  at::Tensor out = it.is_own() || IsProduct(it.layer, padded)
                       ? Convolve(it, padded, kernel).add_(bias)
                       : ConvolveInTorch(it, padded, kernel, bias);
  if (added.defined()) out.add_(added);
  if (ceiling) at::hardtanh_(out, 0, *ceiling);
  return out;
}

at::Tensor KernelGradient(const Convolution& it, const at::Tensor& gradient,
                          const at::Tensor& padded, const at::Tensor& kernel) {
  const NetworkLayer& layer = it.layer;
  assert(!layer.is_pointwise());
  if (it.is_own()) return it.depthwise->KernelGradient(MapsOf(it, padded), gradient, padded);
  if (layer.is_depthwise() && layer.kernel == 3 && layer.dilation == 1 && gradient.is_cpu()) {
    return GradientOfDepthwise(it, gradient, padded);
  }
  if (IsProduct(layer, padded)) {
    const at::Tensor patches = Patches(layer, PadsLeft(it.pads), padded);
    return KernelOfPatches(layer, Multiply(Rows(gradient).t(), Rows(patches)));
  }
  return std::get<1>(GradientsInTorch(it, gradient, padded, kernel, {false, true, false}));
}

at::Tensor InputGradient(const Convolution& it, const at::Tensor& gradient,
                         const at::Tensor& padded, const at::Tensor& kernel) {
  assert(!it.layer.is_pointwise());
  const MapSize size = SizeBeforePad(it.pads, padded);
  if (it.is_own()) {
    return it.depthwise->InputGradient(MapsOf(it, gradient, size, it.pads), gradient, kernel);
  }
  const at::Tensor of_padded =
      std::get<0>(GradientsInTorch(it, gradient, padded, kernel, {true, false, false}));
  at::Tensor of_input = of_padded.permute({0, 2, 3, 1});
  if (!it.pads.is_symmetric()) of_input = Inside(of_input, it.pads, size.height, size.width);
  return of_input.contiguous();
}

at::Tensor PointwiseInputGradient(const NetworkLayer& layer, const at::Tensor& gradient,
                                  const at::Tensor& kernel) {
  return MapOf(Multiply(Rows(gradient), MatrixOf(layer, kernel)), gradient);
}

}  // namespace weir
