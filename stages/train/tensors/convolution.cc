#include "stages/train/tensors/convolution.h"

#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/hardtanh.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <tuple>

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

at::Tensor ConvolveInTorch(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                           const at::Tensor& kernel, const at::Tensor& bias) {
  return ChannelsLast(InOneDnn("a convolution", [&] {
    return at::convolution(ChannelsFirst(padded), kernel, bias, Both(layer.stride), PaddingOf(pads),
                           Both(layer.dilation), false, kNone, layer.groups);
  }));
}

at::Tensor MapOf(const at::Tensor& rows, const at::Tensor& input) {
  return rows.view({input.size(0), input.size(1), input.size(2), rows.size(1)});
}

at::Tensor GradientOfDepthwise(const NetworkLayer& layer, const Pads& pads,
                               const at::Tensor& gradient, const at::Tensor& padded) {
  assert(gradient.is_contiguous() && padded.is_contiguous() && layer.kernel == 3);
  const AxisPair padding = PaddingOf(pads);
  at::Tensor of_kernel = at::empty({layer.out_channels, 1, 3, 3}, gradient.options());
  DepthwiseKernelGradient({.count = gradient.size(0),
                           .channels = gradient.size(3),
                           .in_height = padded.size(1),
                           .in_width = padded.size(2),
                           .out_height = gradient.size(1),
                           .out_width = gradient.size(2),
                           .stride = layer.stride,
                           .pad_top = padding[0],
                           .pad_left = padding[1]},
                          gradient.const_data_ptr<float>(), padded.const_data_ptr<float>(),
                          of_kernel.mutable_data_ptr<float>());
  return of_kernel;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> GradientsInTorch(
    const NetworkLayer& layer, const Pads& pads, const at::Tensor& gradient,
    const at::Tensor& padded, const at::Tensor& kernel, std::array<bool, 3> wanted) {
  return InOneDnn("the gradients of a convolution", [&] {
    return at::convolution_backward(ChannelsFirst(gradient), ChannelsFirst(padded), kernel, {},
                                    Both(layer.stride), PaddingOf(pads), Both(layer.dilation),
                                    false, kNone, layer.groups, wanted);
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

at::Tensor Convolve(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                    const at::Tensor& kernel) {
  if (!layer.is_pointwise()) return ConvolveInTorch(layer, pads, padded, kernel, {});
  return MapOf(Multiply(Rows(padded), MatrixOf(layer, kernel).t()), padded);
}

at::Tensor ConvolveAndFinish(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                             const at::Tensor& kernel, const at::Tensor& bias,
                             const at::Tensor& added, std::optional<float> ceiling) {
  if (layer.is_pointwise() && padded.is_cpu()) {
    return PointwiseOnHost(layer, padded, kernel, bias, added, ceiling);
  }
  at::Tensor out = layer.is_pointwise() ? Convolve(layer, pads, padded, kernel).add_(bias)
                                        : ConvolveInTorch(layer, pads, padded, kernel, bias);
  if (added.defined()) out.add_(added);
  if (ceiling) at::hardtanh_(out, 0, *ceiling);
  return out;
}

at::Tensor KernelGradient(const NetworkLayer& layer, const Pads& pads, const at::Tensor& gradient,
                          const at::Tensor& padded, const at::Tensor& kernel) {
  assert(!layer.is_pointwise());
  if (layer.is_depthwise() && layer.kernel == 3 && layer.dilation == 1 && gradient.is_cpu()) {
    return GradientOfDepthwise(layer, pads, gradient, padded);
  }
  return std::get<1>(GradientsInTorch(layer, pads, gradient, padded, kernel, {false, true, false}));
}

at::Tensor InputGradient(const NetworkLayer& layer, const Pads& pads, const at::Tensor& gradient,
                         const at::Tensor& padded, const at::Tensor& kernel) {
  assert(!layer.is_pointwise());
  const at::Tensor of_padded =
      std::get<0>(GradientsInTorch(layer, pads, gradient, padded, kernel, {true, false, false}));
  at::Tensor of_input = of_padded.permute({0, 2, 3, 1});
  if (!pads.is_symmetric()) {
    of_input = Inside(of_input, pads, padded.size(1) - pads.top - pads.bottom,
                      padded.size(2) - pads.left - pads.right);
  }
  return of_input.contiguous();
}

at::Tensor PointwiseInputGradient(const NetworkLayer& layer, const at::Tensor& gradient,
                                  const at::Tensor& kernel) {
  return MapOf(Multiply(Rows(gradient), MatrixOf(layer, kernel)), gradient);
}

}  // namespace weir
