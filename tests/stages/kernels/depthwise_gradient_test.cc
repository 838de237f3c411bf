#include "stages/kernels/depthwise_gradient.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "framework/random.h"

namespace weir {
namespace {

using Values = std::vector<float>;

Values Random(std::int64_t count, std::uint64_t seed) {
  Values values(count);
  CounterRandom random(seed, "map");
  for (float& value : values) value = static_cast<float>(random.Uniform(-1, 1));
  return values;
}

struct Case {
  std::int64_t count, channels, side_in, stride, pad;
};

// By the definition, in double.
std::vector<double> Expected(const DepthwiseMaps& maps, const Values& gradient,
                             const Values& input) {
  std::vector<double> kernel(maps.channels * 9);
  for (std::int64_t n = 0; n < maps.count; ++n) {
    for (std::int64_t y = 0; y < maps.out_height; ++y) {
      for (std::int64_t x = 0; x < maps.out_width; ++x) {
        for (std::int64_t tap = 0; tap < 9; ++tap) {
          const std::int64_t row = y * maps.stride - maps.pad_top + tap / 3;
          const std::int64_t column = x * maps.stride - maps.pad_left + tap % 3;
          if (row < 0 || row >= maps.in_height || column < 0 || column >= maps.in_width) continue;
          for (std::int64_t c = 0; c < maps.channels; ++c) {
            kernel[9 * c + tap] +=
                double{gradient[((n * maps.out_height + y) * maps.out_width + x) * maps.channels +
                                c]} *
                input[((n * maps.in_height + row) * maps.in_width + column) * maps.channels + c];
          }
        }
      }
    }
  }
  return kernel;
}

TEST(DepthwiseKernelGradient, IsTheSumOverTheMap) {
  const std::vector<Case> cases = {{1, 16, 7, 1, 1}, {2, 24, 14, 1, 1}, {3, 8, 15, 2, 0},
                                   {2, 40, 9, 2, 1}, {1, 16, 1, 1, 1},  {2, 32, 2, 1, 1},
                                   {1, 8, 3, 2, 0},  {1, 16, 2, 2, 1},  {1, 8, 40, 1, 1}};
  for (const Case& it : cases) {
    const std::int64_t out = (it.side_in + 2 * it.pad - 3) / it.stride + 1;
    // Wider than high, so that the two are not taken for each other.
    const std::int64_t wider = it.side_in + 2 * it.stride;
    const DepthwiseMaps maps{.count = it.count,
                             .channels = it.channels,
                             .in_height = it.side_in,
                             .in_width = wider,
                             .out_height = out,
                             .out_width = out + 2,
                             .stride = it.stride,
                             .pad_top = it.pad,
                             .pad_left = it.pad};
    const Values gradient = Random(it.count * out * (out + 2) * it.channels, 1);
    const Values input = Random(it.count * it.side_in * wider * it.channels, 2);
    Values kernel(it.channels * 9, 100.0F);
    DepthwiseKernelGradient(maps, gradient.data(), input.data(), kernel.data());
    const std::vector<double> expected = Expected(maps, gradient, input);
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      ASSERT_NEAR(kernel[i], expected[i], 1e-4) << it.side_in << " pixels, " << it.channels
                                                << " channels, stride " << it.stride << ", " << i;
    }
  }
}

}  // namespace
}  // namespace weir
