#include "stages/device/cuda/warm_up.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/ones.h>

#include <cstdint>

#include "stages/device/patches.h"

namespace weir {
namespace {

constexpr int kSamples = 2;
constexpr int kSide = 16;
constexpr int kChannels = 16;

at::Tensor Ones(at::IntArrayRef shape, c10::Device device) {
  return at::ones(shape, at::TensorOptions(device).dtype(at::kFloat));
}

}  // namespace

void WarmUp(c10::Device device, const DepthwiseKernels& depthwise) {
  const NetworkLayer first{.in_channels = 3, .out_channels = kChannels, .kernel = 3, .stride = 2};
  const Pads pads{.top = 1, .left = 1, .bottom = 1, .right = 1};
  const at::Tensor bias = Ones({kChannels}, device);
  const at::Tensor patches =
      Patches(first, pads, Ones({kSamples, 2 * kSide, 2 * kSide, 3}, device));
  const at::Tensor map = at::addmm(bias, patches.view({-1, patches.size(3)}),
                                   PatchKernel(Ones({kChannels, 3, 3, 3}, device)).t())
                             .view({kSamples, kSide, kSide, kChannels});
  for (const std::int64_t stride : {2, 1}) {
    const DepthwiseMaps maps{.count = kSamples,
                             .channels = kChannels,
                             .in_height = kSide,
                             .in_width = kSide,
                             .out_height = kSide / stride,
                             .out_width = kSide / stride,
                             .stride = stride,
                             .pad_top = 1,
                             .pad_left = 1};
    const at::Tensor kernel = Ones({kChannels, 1, 3, 3}, device);
    const at::Tensor output = depthwise.Forward(maps, map, kernel, bias, 6);
    depthwise.InputGradient(maps, output, kernel);
    depthwise.KernelGradient(maps, output, map);
  }

  const at::Tensor product =
      at::mm(map.view({-1, kChannels}), Ones({kChannels, kChannels}, device));
  const at::Tensor gamma = Ones({kChannels}, device), mean = Ones({kChannels}, device),
                   variance = Ones({kChannels}, device);
  const auto [normal, batch_mean, inverse_deviation] = at::native_batch_norm(
      product, gamma, gamma, mean, variance, /*training=*/true, /*momentum=*/0, /*eps=*/1e-3);
  at::native_batch_norm_backward(normal, product, gamma, mean, variance, batch_mean,
                                 inverse_deviation, /*train=*/true, /*eps=*/1e-3,
                                 {true, true, true});
}

}  // namespace weir
