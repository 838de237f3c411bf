#include "stages/train/convolution.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/hardtanh.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <string>

#include "framework/error.h"
#include "stages/features/onednn/onednn_failure.h"
#include "stages/kernels/depthwise_gradient.h"
#include "stages/kernels/map_kernels.h"
#include "stages/train/matrix_product.h"

namespace weir {
namespace {

using Pair = std::array<std::int64_t, 2>;

constexpr std::int64_t kCachedValues = std::int64_t{1} << 17;  // 512 KB
constexpr std::int64_t kLeastRows = 96;

constexpr Pair kNone = {0, 0};

Pair Both(int value) { return {value, value}; }

at::Tensor ChannelsFirst(const at::Tensor& map) { return map.permute({0, 3, 1, 2}); }
at::Tensor ChannelsLast(const at::Tensor& map) { return map.permute({0, 2, 3, 1}).contiguous(); }

Pair PaddingOf(const Pads& pads) { return PadsUnevenly(pads) ? kNone : Pair{pads.top, pads.left}; }

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
  const Pair padding = PaddingOf(pads);
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

// A part of the rows at a time, so that they are finished before they leave the cache.
at::Tensor PointwiseOnHost(const NetworkLayer& layer, const at::Tensor& input,
                           const at::Tensor& kernel, const at::Tensor& bias,
                           const at::Tensor& added) {
  const at::Tensor rows = Rows(input), matrix = MatrixOf(layer, kernel).t();
  const std::int64_t count = rows.size(0), channels = layer.out_channels;
  const at::Tensor out = at::empty({count, channels}, rows.options());
  const std::int64_t part = std::max(kLeastRows, kCachedValues / channels);
  for (std::int64_t begin = 0; begin < count; begin += part) {
    const std::int64_t size = std::min(part, count - begin);
    MultiplyInto(out.narrow(0, begin, size), rows.narrow(0, begin, size), matrix);
    const std::int64_t first = begin * channels;
    FinishRows(out.mutable_data_ptr<float>() + first, size, channels, bias.const_data_ptr<float>(),
               added.defined() ? added.const_data_ptr<float>() + first : nullptr, CeilingOf(layer));
  }
  return MapOf(out, input);
}

}  // namespace

std::optional<float> CeilingOf(const NetworkLayer& layer) {
  if (!layer.activation) return std::nullopt;
  if (*layer.activation == Nonlinearity::kRelu6) return 6.0f;
  if (*layer.activation == Nonlinearity::kRelu) return std::numeric_limits<float>::infinity();
  throw Error(ErrorKind::kInternal, "layer " + layer.name + " ends in " +
                                        std::string(Name(*layer.activation)) +
                                        ", which the layers that learn do not know");
}

bool PadsUnevenly(const Pads& pads) { return pads.top != pads.bottom || pads.left != pads.right; }

at::Tensor Pad(const at::Tensor& map, const Pads& pads) {
  if (!PadsUnevenly(pads)) return map;
  return at::constant_pad_nd(map, {0, 0, pads.left, pads.right, pads.top, pads.bottom}, 0);
}

at::Tensor Rows(const at::Tensor& map) { return map.view({-1, map.size(-1)}); }

at::Tensor Convolve(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                    const at::Tensor& kernel) {
  if (!layer.is_pointwise()) return ConvolveInTorch(layer, pads, padded, kernel, {});
  return MapOf(Multiply(Rows(padded), MatrixOf(layer, kernel).t()), padded);
}

at::Tensor ConvolveAndFinish(const NetworkLayer& layer, const Pads& pads, const at::Tensor& padded,
                             const at::Tensor& kernel, const at::Tensor& bias,
                             const at::Tensor& added) {
  if (layer.is_pointwise() && padded.is_cpu()) {
    return PointwiseOnHost(layer, padded, kernel, bias, added);
  }
  at::Tensor out = layer.is_pointwise() ? Convolve(layer, pads, padded, kernel).add_(bias)
                                        : ConvolveInTorch(layer, pads, padded, kernel, bias);
  if (added.defined()) out.add_(added);
  if (const std::optional<float> ceiling = CeilingOf(layer)) at::hardtanh_(out, 0, *ceiling);
  return out;
}

ConvolutionGradients ConvolveBackward(const NetworkLayer& layer, const Pads& pads,
                                      const at::Tensor& gradient, const at::Tensor& padded,
                                      const at::Tensor& kernel, bool of_input, bool of_kernel) {
  ConvolutionGradients gradients;
  if (layer.is_pointwise()) {
    if (of_input) {
      gradients.input = Multiply(Rows(gradient), MatrixOf(layer, kernel)).view(padded.sizes());
    }
    return gradients;
  }
  const bool is_ours = of_kernel && layer.is_depthwise() && layer.kernel == 3 &&
                       layer.dilation == 1 && gradient.is_cpu();
  if (is_ours) gradients.kernel = GradientOfDepthwise(layer, pads, gradient, padded);
  if (is_ours && !of_input) return gradients;
  auto [of_map, of_its_kernel, unused] = InOneDnn("the gradients of a convolution", [&] {
    return at::convolution_backward(ChannelsFirst(gradient), ChannelsFirst(padded), kernel, {},
                                    Both(layer.stride), PaddingOf(pads), Both(layer.dilation),
                                    false, kNone, layer.groups,
                                    {of_input, of_kernel && !is_ours, false});
  });
  if (of_kernel && !is_ours) gradients.kernel = of_its_kernel;
  if (of_input) {
    gradients.input = of_map.permute({0, 2, 3, 1});
    if (PadsUnevenly(pads)) {
      gradients.input = gradients.input.narrow(1, pads.top, padded.size(1) - pads.top - pads.bottom)
                            .narrow(2, pads.left, padded.size(2) - pads.left - pads.right);
    }
    gradients.input = gradients.input.contiguous();
  }
  return gradients;
}

}  // namespace weir
