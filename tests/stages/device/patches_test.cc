#include "stages/device/patches.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "framework/random.h"

namespace weir {
namespace {

at::Tensor Random(at::IntArrayRef shape, std::uint64_t seed) {
  const at::Tensor made = at::zeros(shape, at::kFloat);
  CounterRandom random(seed, "patches");
  for (std::int64_t i = 0; i < made.numel(); ++i) {
    made.mutable_data_ptr<float>()[i] = static_cast<float>(random.Uniform(-1, 1));
  }
  return made;
}

double Difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  const at::Tensor left = a.contiguous(), right = b.contiguous();
  double most = 0;
  for (std::int64_t i = 0; i < left.numel(); ++i) {
    most = std::max<double>(
        most, std::abs(left.const_data_ptr<float>()[i] - right.const_data_ptr<float>()[i]));
  }
  return most;
}

// LibTorch's convolution is the reference, and its gradient of the kernel.
TEST(Patches, MakeAConvolutionAProduct) {
  at::set_num_threads(1);
  const std::vector<Pads> paddings = {{}, {1, 1, 1, 1}, {0, 0, 1, 1}, {3, 2, 3, 2}, {2, 3, 1, 0}};
  int cases = 0;
  for (const int kernel : {1, 2, 3, 7}) {
    for (const int stride : {1, 2, 3}) {
      for (const int dilation : {1, 2}) {
        const Pads& pads = kernel == 1 ? paddings[0] : paddings[++cases % paddings.size()];
        const NetworkLayer layer{.in_channels = 3,
                                 .out_channels = 5,
                                 .kernel = kernel,
                                 .stride = stride,
                                 .dilation = dilation};
        const at::Tensor map = Random({2, 15, 14, 3}, cases),
                         taps = Random({5, 3, kernel, kernel}, 9);
        const at::Tensor padded =
            at::constant_pad_nd(map, {0, 0, pads.left, pads.right, pads.top, pads.bottom})
                .permute({0, 3, 1, 2});
        const std::array<std::int64_t, 2> none = {0, 0}, steps = {stride, stride},
                                          gaps = {dilation, dilation};
        const at::Tensor expected =
            at::convolution(padded, taps, {}, steps, none, gaps, false, none, 1);

        const at::Tensor patches = Patches(layer, pads, map);
        ASSERT_TRUE(patches.is_contiguous());
        const at::Tensor rows = patches.view({-1, patches.size(3)});
        const at::Tensor output = at::mm(rows, PatchKernel(taps).t())
                                      .view({2, patches.size(1), patches.size(2), 5})
                                      .permute({0, 3, 1, 2});
        EXPECT_LT(Difference(output, expected), 1e-5) << kernel << " " << stride << " " << dilation;

        const at::Tensor slope = Random(expected.sizes(), 4);
        const at::Tensor of_kernel = std::get<1>(at::convolution_backward(
            slope, padded, taps, {}, steps, none, gaps, false, none, 1, {false, true, false}));
        const at::Tensor slopes = slope.permute({0, 2, 3, 1}).reshape({-1, 5});
        EXPECT_LT(Difference(KernelOfPatches(layer, at::mm(slopes.t(), rows)), of_kernel), 1e-4);
      }
    }
  }
}

}  // namespace
}  // namespace weir
