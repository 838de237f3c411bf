#include "stages/train/tensors/pooling.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "stages/train/tensors/maps.h"

namespace weir {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();

}  // namespace

at::Tensor MeanOfPixels(const at::Tensor& map) {
  const at::Tensor pixels = map.view({map.size(0), -1, map.size(3)});
  const std::int64_t samples = pixels.size(0), count = pixels.size(1), channels = pixels.size(2);
  if (!pixels.is_cpu()) return at::sum(pixels, 1).div_(count);
  at::Tensor means = at::zeros({samples, channels}, pixels.options());
  const float* pixel = pixels.const_data_ptr<float>();
  for (std::int64_t n = 0; n < samples; ++n) {
    float* const sum = means.mutable_data_ptr<float>() + n * channels;
    for (std::int64_t p = 0; p < count; ++p, pixel += channels) {
      for (std::int64_t c = 0; c < channels; ++c) sum[c] += pixel[c];
    }
  }
  return means.div_(count);
}

at::Tensor MeanOfPixelsGradient(const at::Tensor& gradient, MapSize size) {
  const std::int64_t samples = gradient.size(0), channels = gradient.size(1);
  return gradient.div_(std::int64_t{size.height} * size.width)
      .view({samples, 1, 1, channels})
      .expand({samples, size.height, size.width, channels})
      .contiguous();
}

MaxPooled MaxPool(const NetworkLayer& layer, const Pads& pads, const at::Tensor& map) {
  auto [pooled, indices] =
      at::max_pool2d_with_indices(ChannelsFirst(Pad(map, pads, kLowest)), Both(layer.kernel),
                                  Both(layer.stride), PaddingOf(pads));
  return {ChannelsLast(pooled), indices};
}

at::Tensor MaxPoolGradient(const NetworkLayer& layer, const Pads& pads, const at::Tensor& gradient,
                           const at::Tensor& map, const at::Tensor& indices) {
  const at::Tensor of_padded = at::max_pool2d_with_indices_backward(
      ChannelsFirst(gradient), ChannelsFirst(Pad(map, pads, kLowest)), Both(layer.kernel),
      Both(layer.stride), PaddingOf(pads), Both(1), /*ceil_mode=*/false, indices);
  at::Tensor of_map = of_padded.permute({0, 2, 3, 1});
  if (!pads.is_symmetric()) of_map = Inside(of_map, pads, map.size(1), map.size(2));
  return of_map.contiguous();
}

}  // namespace weir
