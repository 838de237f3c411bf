#include "stages/model/convolution.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/mm.h>

#include <array>
#include <tuple>

namespace weir {
namespace {

using Pair = std::array<std::int64_t, 2>;

constexpr Pair kNone = {0, 0};
constexpr Pair kOne = {1, 1};

at::Tensor ChannelsFirst(const at::Tensor& map) { return map.permute({0, 3, 1, 2}); }
at::Tensor ChannelsLast(const at::Tensor& map) { return map.permute({0, 2, 3, 1}).contiguous(); }

Pair PaddingOf(const MobileNetV2::Pads& pads) {
  return PadsUnevenly(pads) ? kNone : Pair{pads.top, pads.left};
}

at::Tensor MatrixOf(const ConvLayer& layer, const at::Tensor& kernel) {
  return kernel.view({layer.out_channels, layer.in_channels});
}

bool IsPointwise(const ConvLayer& layer) { return layer.kernel == 1 && layer.groups == 1; }

}  // namespace

bool PadsUnevenly(const MobileNetV2::Pads& pads) {
  return pads.top != pads.bottom || pads.left != pads.right;
}

at::Tensor Pad(const at::Tensor& map, const MobileNetV2::Pads& pads) {
  if (!PadsUnevenly(pads)) return map;
  return at::constant_pad_nd(map, {0, 0, pads.left, pads.right, pads.top, pads.bottom}, 0);
}

at::Tensor Rows(const at::Tensor& map) { return map.view({-1, map.size(-1)}); }

at::Tensor Convolve(const ConvLayer& layer, const MobileNetV2::Pads& pads, const at::Tensor& padded,
                    const at::Tensor& kernel, const at::Tensor& bias) {
  if (IsPointwise(layer)) {
    const at::Tensor matrix = MatrixOf(layer, kernel).t();
    const at::Tensor rows =
        bias.defined() ? at::addmm(bias, Rows(padded), matrix) : at::mm(Rows(padded), matrix);
    return rows.view({padded.size(0), padded.size(1), padded.size(2), layer.out_channels});
  }
  const Pair stride = {layer.stride, layer.stride};
  return ChannelsLast(at::convolution(ChannelsFirst(padded), kernel, bias, stride, PaddingOf(pads),
                                      kOne, false, kNone, layer.groups));
}

ConvolutionGradients ConvolveBackward(const ConvLayer& layer, const MobileNetV2::Pads& pads,
                                      const at::Tensor& gradient, const at::Tensor& padded,
                                      const at::Tensor& kernel, bool of_input, bool of_kernel) {
  ConvolutionGradients gradients;
  if (IsPointwise(layer)) {
    if (of_input) {
      gradients.input = at::mm(Rows(gradient), MatrixOf(layer, kernel)).view(padded.sizes());
    }
    return gradients;
  }
  const Pair stride = {layer.stride, layer.stride};
  std::tie(gradients.input, gradients.kernel, std::ignore) = at::convolution_backward(
      ChannelsFirst(gradient), ChannelsFirst(padded), kernel, {}, stride, PaddingOf(pads), kOne,
      false, kNone, layer.groups, {of_input, of_kernel, false});
  if (of_input) {
    gradients.input = gradients.input.permute({0, 2, 3, 1});
    if (PadsUnevenly(pads)) {
      gradients.input = gradients.input.narrow(1, pads.top, padded.size(1) - pads.top - pads.bottom)
                            .narrow(2, pads.left, padded.size(2) - pads.left - pads.right);
    }
    gradients.input = gradients.input.contiguous();
  }
  return gradients;
}

}  // namespace weir
