// The gradient of a 3x3 depthwise kernel, thread by thread: partial sums over slices of the output,
// which are then added up in their order (depthwise_slices.h).
//
// A thread walks along the rows of its slice with the sums of 4 channels, 36 numbers, and the
// window in registers: each step loads what the window gains, and the output's gradient there.
// Never measured on a card.
#pragma once

#include "stages/device/cuda/depthwise_bodies.h"
#include "stages/device/cuda/depthwise_slices.h"

namespace weir::kernel {

// A slice's part of the kernel's gradient, [slices, 9, C]: the sum over its pixels of the output,
// in their order, of of_out[y, x] in[y stride - pad_top + i, x stride - pad_left + j]. What two
// windows of a row share stays in registers.
template <int kWidth, int kStride>
struct DepthwisePartialGradient {
  DepthwiseMaps maps;
  DepthwiseSlices slices;
  const float* gradient;
  const float* input;
  float* partial;

  static constexpr int kShared = kSide - kStride;  // columns

  using Window = float[kSide][kSide][kWidth];

  WEIR_ON_DEVICE void operator()(std::size_t thread) const {
    const std::size_t groups = maps.channels / kWidth, slice = thread / groups;
    if (slice >= slices.count) return;
    const std::size_t channel = thread % groups * kWidth;
    const std::size_t begin = slice * slices.pixels, left = slices.all_pixels - begin;
    const std::size_t end = begin + (left < slices.pixels ? left : slices.pixels);
    const std::size_t row = begin / maps.out_width;
    auto x = static_cast<int>(begin % maps.out_width);
    auto y = static_cast<int>(row % maps.out_height);
    std::size_t sample = row / maps.out_height;
    float sums[kTaps][kWidth] = {};
    Window window = {};
    bool is_first = true;  // pixel of a row
    for (std::size_t pixel = begin; pixel < end; ++pixel) {
      if (is_first) LoadColumns<0, kShared>(sample, y, x, channel, window);
      LoadColumns<kShared, kSide>(sample, y, x, channel, window);
      float slope[kWidth];
      Load(gradient + pixel * maps.channels + channel, slope);
      AddAndShift(slope, window, sums);
      is_first = ++x == maps.out_width;
      if (!is_first) continue;
      x = 0;
      if (++y < maps.out_height) continue;
      y = 0;
      ++sample;
    }
    float* const to = partial + slice * slices.values + channel;
    WEIR_UNROLL
    for (int tap = 0; tap < kTaps; ++tap) Store(sums[tap], to + tap * maps.channels);
  }

  // Columns of the window of the output's pixel (y, x).
  template <int kBegin, int kEnd>
  WEIR_ON_DEVICE void LoadColumns(std::size_t sample, int y, int x, std::size_t channel,
                                  Window& window) const {
    WEIR_UNROLL
    for (int i = 0; i < kSide; ++i) {
      const int v = y * kStride + i - int(maps.pad_top);
      const bool is_inside = v >= 0 && v < maps.in_height;
      const float* const row = input + RowStart(sample, maps.in_height, maps.in_width,
                                                is_inside ? v : 0, maps.channels, channel);
      WEIR_UNROLL
      for (int j = kBegin; j < kEnd; ++j) {
        const int u = x * kStride + j - int(maps.pad_left);
        LoadInside(is_inside && u >= 0 && u < maps.in_width, row + u * maps.channels, window[i][j]);
      }
    }
  }

  static WEIR_ON_DEVICE void AddAndShift(const float (&slope)[kWidth], Window& window,
                                         float (&sums)[kTaps][kWidth]) {
    WEIR_UNROLL
    for (int i = 0; i < kSide; ++i) {
      WEIR_UNROLL
      for (int j = 0; j < kSide; ++j) AddProduct(slope, window[i][j], sums[kSide * i + j]);
      WEIR_UNROLL
      for (int j = 0; j < kShared; ++j) {
        WEIR_UNROLL
        for (int l = 0; l < kWidth; ++l) window[i][j][l] = window[i][j + kStride][l];
      }
    }
  }
};

// Adds up kFan partial sums [.., 9, C] at a time, in their order; the last ones to [C, 9].
struct DepthwiseJoin {
  const float* from;
  std::size_t count, values;  // how many sums, and values of each
  bool is_last;
  float* to;

  WEIR_ON_DEVICE std::size_t groups() const {
    return (count + DepthwiseSlices::kFan - 1) / DepthwiseSlices::kFan;
  }
  WEIR_ON_DEVICE std::size_t threads() const { return groups() * values; }
  WEIR_ON_DEVICE void operator()(std::size_t thread) const {
    if (thread >= threads()) return;
    const std::size_t value = thread % values, begin = thread / values * DepthwiseSlices::kFan;
    const std::size_t left = count - begin;
    const std::size_t end = begin + (left < DepthwiseSlices::kFan ? left : DepthwiseSlices::kFan);
    float sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += from[i * values + value];
    const std::size_t channels = values / kTaps;
    to[is_last ? value % channels * kTaps + value / channels : thread] = sum;
  }
};

// As LaunchDepthwiseKernelGradient (kernels.h), but with `launch` in place of a stream.
template <class Launch>
void DepthwiseKernelGradientBy(const Launch& launch, const DepthwiseMaps& maps,
                               const float* gradient, const float* input, float* scratch,
                               float* of_kernel) {
  const DepthwiseSlices slices(maps);
  constexpr std::size_t kLine = 4 * sizeof(float);
  const bool is_aligned =
      IsAligned(gradient, kLine) && IsAligned(input, kLine) && IsAligned(scratch, kLine);
  WithShape(maps, is_aligned, [&](auto width, auto stride) {
    launch(slices.count * (maps.channels / width()),
           DepthwisePartialGradient<width(), stride()>{maps, slices, gradient, input, scratch});
  });
  DepthwiseJoin join{scratch, slices.count, slices.values, true, of_kernel};
  if (slices.joined > 0) {
    join.is_last = false;
    join.to = scratch + slices.count * slices.values;
    launch(join.threads(), join);
    join = {join.to, slices.joined, slices.values, true, of_kernel};
  }
  launch(join.threads(), join);
}

}  // namespace weir::kernel
