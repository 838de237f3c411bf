#include "stages/device/cuda/warm_up.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/ones.h>

#include <array>
#include <cstdint>

namespace weir {
namespace {

constexpr std::int64_t kSamples = 2;
constexpr std::int64_t kSide = 16;
constexpr std::int64_t kChannels = 16;
constexpr std::array<std::int64_t, 2> kNone = {0, 0}, kOnce = {1, 1}, kTwice = {2, 2};

at::Tensor Ones(at::IntArrayRef shape, c10::Device device) {
  return at::ones(shape, at::TensorOptions(device).dtype(at::kFloat));
}

// [2, channels, side, side], channels last.
at::Tensor Map(std::int64_t channels, std::int64_t side, c10::Device device) {
  return Ones({kSamples, side, side, channels}, device).permute({0, 3, 1, 2});
}

}  // namespace

void WarmUpTorch(c10::Device device) {
  const at::Tensor map =
      at::convolution(Map(3, 2 * kSide, device), Ones({kChannels, 3, 3, 3}, device),
                      Ones({kChannels}, device), kTwice, kOnce, kOnce, false, kNone, 1);
  const at::Tensor kernel = Ones({kChannels, 1, 3, 3}, device);
  const at::Tensor of_channels =
      at::convolution(map, kernel, {}, kOnce, kOnce, kOnce, false, kNone, kChannels);
  at::convolution_backward(of_channels, map, kernel, {}, kOnce, kOnce, kOnce, false, kNone,
                           kChannels, {true, true, false});

  const at::Tensor rows = of_channels.permute({0, 2, 3, 1}).reshape({-1, kChannels});
  const at::Tensor product = at::mm(rows, Ones({kChannels, kChannels}, device));

  const at::Tensor gamma = Ones({kChannels}, device), mean = Ones({kChannels}, device),
                   variance = Ones({kChannels}, device);
  const auto [normal, batch_mean, inverse_deviation] = at::native_batch_norm(
      product, gamma, gamma, mean, variance, /*training=*/true, /*momentum=*/0, /*eps=*/1e-3);
  at::native_batch_norm_backward(normal, product, gamma, mean, variance, batch_mean,
                                 inverse_deviation, /*train=*/true, /*eps=*/1e-3,
                                 {true, true, true});
}

}  // namespace weir
