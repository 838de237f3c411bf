#include "stages/kernels/depthwise_gradient.h"

#include <algorithm>
#include <cassert>

#include "stages/kernels/for_each_cpu.h"

namespace weir {
namespace {

constexpr int kSide = 3;
constexpr int kTaps = kSide * kSide;
constexpr int kMostLanes = 16;
alignas(64) constexpr float kZeros[kMostLanes] = {};  // what lies beyond the edge

template <int kLanes>
struct Lanes {
  // g++ takes these attributes of a typedef alone. NOLINTNEXTLINE(modernize-use-using)
  typedef float Vector __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float))));
};

// The channels from `channel` on, as many as there are lanes.
template <int kLanes>
WEIR_INLINE void Block(const DepthwiseMaps& maps, const float* gradient, const float* input,
                       std::int64_t channel, float* of_kernel) {
  using Vector = typename Lanes<kLanes>::Vector;
  const std::int64_t channels = maps.channels, stride = maps.stride;
  // The output's columns of which every tap lies inside.
  const std::int64_t begin = std::min((maps.pad_left + stride - 1) / stride, maps.out_width);
  const std::int64_t inside = maps.in_width - kSide + maps.pad_left;
  const std::int64_t end = std::clamp(inside < 0 ? 0 : inside / stride + 1, begin, maps.out_width);
  Vector total[kTaps] = {};
  for (std::int64_t n = 0; n < maps.count; ++n) {
    for (std::int64_t y = 0; y < maps.out_height; ++y) {
      const float* slope =
          gradient + (n * maps.out_height + y) * maps.out_width * channels + channel;
      const float* rows[kSide];
      std::int64_t step[kSide];  // from pixel to pixel; a row beyond the edge stays where it is
      for (int i = 0; i < kSide; ++i) {
        const std::int64_t row = y * stride - maps.pad_top + i;
        const bool is_inside = row >= 0 && row < maps.in_height;
        rows[i] = is_inside
                      ? input + (n * maps.in_height + row) * maps.in_width * channels + channel
                      : kZeros;
        step[i] = is_inside ? channels : 0;
      }
      Vector sum[kTaps] = {};
      const auto add = [&](std::int64_t x, auto at_edge) __attribute__((always_inline)) {
        const Vector of_pixel = *reinterpret_cast<const Vector*>(slope + x * channels);
        const std::int64_t left = x * stride - maps.pad_left;
#pragma GCC unroll 3
        for (int i = 0; i < kSide; ++i) {
#pragma GCC unroll 3
          for (int j = 0; j < kSide; ++j) {
            const std::int64_t column = left + j;
            const bool is_inside = !at_edge || (column >= 0 && column < maps.in_width);
            const float* from = is_inside ? rows[i] + column * step[i] : kZeros;
            sum[kSide * i + j] += of_pixel * *reinterpret_cast<const Vector*>(from);
          }
        }
      };
      for (std::int64_t x = 0; x < begin; ++x) add(x, std::true_type());
      for (std::int64_t x = begin; x < end; ++x) add(x, std::false_type());
      for (std::int64_t x = end; x < maps.out_width; ++x) add(x, std::true_type());
#pragma GCC unroll 9
      for (int tap = 0; tap < kTaps; ++tap) total[tap] += sum[tap];
    }
  }
  for (int tap = 0; tap < kTaps; ++tap) {
    for (int lane = 0; lane < kLanes; ++lane) {
      of_kernel[(channel + lane) * kTaps + tap] = total[tap][lane];
    }
  }
}

WEIR_FOR_EACH_CPU void AllBlocks(const DepthwiseMaps& maps, const float* gradient,
                                 const float* input, float* of_kernel) {
  std::int64_t channel = 0;
  for (; channel + 16 <= maps.channels; channel += 16) {
    Block<16>(maps, gradient, input, channel, of_kernel);
  }
  for (; channel < maps.channels; channel += 8) {
    Block<8>(maps, gradient, input, channel, of_kernel);
  }
}

}  // namespace

void DepthwiseKernelGradient(const DepthwiseMaps& maps, const float* gradient, const float* input,
                             float* of_kernel) {
  assert(maps.channels % 8 == 0);
  AllBlocks(maps, gradient, input, of_kernel);
}

}  // namespace weir
