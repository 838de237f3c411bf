// What weir's kernels of 3x3 depthwise convolutions compute, thread by thread (kernel_bodies.h says
// who compiles and launches it): the output, and the gradient of the input. Maps are [n, h, w, C],
// a kernel is [C, 3, 3].
//
// A thread works on kWidth channels side by side, 4 where C and the addresses allow it, so that
// neighbouring threads read and write whole lines of the channels; and on kColumns columns side by
// side, whose windows overlap: a value of a row is loaded once for all of them. The three rows of a
// window come from the cache for the threads above and below. That, 4 columns and 256 threads a
// block were chosen by counting loads; nothing here was ever measured on a card.
//
// Positions are counted in 32 bits: a launch has at most 2^32 threads.
#pragma once

#include <optional>
#include <type_traits>

#include "stages/device/cuda/kernel_bodies.h"

// Loops whose indices are to be known where it is compiled, so that arrays become registers. For
// the host nvcc lets neither word through.
#if defined(__CUDA_ARCH__)
#define WEIR_UNROLL _Pragma("unroll")
#elif defined(__CUDACC__)
#define WEIR_UNROLL
#else
#define WEIR_UNROLL _Pragma("GCC unroll 9")
#endif

namespace weir::kernel {

inline constexpr int kSide = 3;
inline constexpr int kTaps = kSide * kSide;
inline constexpr int kColumns = 4;  // that a thread writes, side by side

// Moved by one instruction.
template <class T, int kWidth>
struct alignas(kWidth * sizeof(T)) Lanes {
  T values[kWidth];
};

template <int kWidth, class T>
WEIR_ON_DEVICE inline void Load(const T* from, float (&to)[kWidth]) {
  const auto lanes = *reinterpret_cast<const Lanes<T, kWidth>*>(from);
  WEIR_UNROLL
  for (int i = 0; i < kWidth; ++i) to[i] = ToFloat(lanes.values[i]);
}

// Zeros lie around a map.
template <int kWidth, class T>
WEIR_ON_DEVICE inline void LoadInside(bool is_inside, const T* from, float (&to)[kWidth]) {
  if (is_inside) {
    Load(from, to);
    return;
  }
  WEIR_UNROLL
  for (int i = 0; i < kWidth; ++i) to[i] = 0;
}

template <int kWidth, class T>
WEIR_ON_DEVICE inline void Store(const float (&from)[kWidth], T* to) {
  Lanes<T, kWidth> lanes;
  WEIR_UNROLL
  for (int i = 0; i < kWidth; ++i) lanes.values[i] = FromFloat<T>(from[i]);
  *reinterpret_cast<Lanes<T, kWidth>*>(to) = lanes;
}

template <int kWidth>
WEIR_ON_DEVICE inline void AddProduct(const float (&a)[kWidth], const float (&b)[kWidth],
                                      float (&sums)[kWidth]) {
  WEIR_UNROLL
  for (int i = 0; i < kWidth; ++i) sums[i] += a[i] * b[i];
}

// The nine taps of kWidth channels, which lie one channel behind the other.
template <int kWidth, class T>
WEIR_ON_DEVICE inline void LoadTaps(const T* kernel, float (&taps)[kTaps][kWidth]) {
  WEIR_UNROLL
  for (int k = 0; k < kTaps; ++k) {
    float some[kWidth];
    Load(kernel + k * kWidth, some);
    WEIR_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      const int at = k * kWidth + i;
      taps[at % kTaps][at / kTaps] = some[i];
    }
  }
}

// Which values of a map a thread writes: those of kWidth channels from `channel` on, in a block of
// columns of a row.
struct Place {
  unsigned channel, block, row, sample;
};

// A map as threads share it out: a thread for each block of columns, row by row.
template <int kWidth>
struct Blocks {
  unsigned channels, columns, rows, samples;  // the columns may reach beyond the map

  WEIR_ON_DEVICE unsigned of_row() const { return (columns + kColumns - 1) / kColumns; }
  WEIR_ON_DEVICE std::size_t threads() const {
    return static_cast<std::size_t>(samples) * rows * of_row() * (channels / kWidth);
  }
  WEIR_ON_DEVICE Place PlaceOf(std::size_t thread) const {
    const auto number = static_cast<unsigned>(thread);
    const unsigned group = number / (channels / kWidth), row = group / of_row();
    return {number % (channels / kWidth) * kWidth, group % of_row(), row % rows, row / rows};
  }
};

template <int kWidth>
Blocks<kWidth> MakeBlocks(const DepthwiseMaps& maps, std::int64_t columns, std::int64_t rows) {
  return {static_cast<unsigned>(maps.channels), static_cast<unsigned>(columns),
          static_cast<unsigned>(rows), static_cast<unsigned>(maps.count)};
}

// Where a row of a map begins, at some channel.
WEIR_ON_DEVICE inline std::size_t RowStart(std::size_t sample, std::size_t height,
                                           std::size_t width, std::size_t row, std::size_t channels,
                                           std::size_t channel) {
  return (sample * height + row) * width * channels + channel;
}

// out[y, x] = bias + the sum over i and j, in this order, of
//   in[y stride - pad_top + i, x stride - pad_left + j] kernel[i, j],
// and then held between 0 and the ceiling.
template <class T, int kWidth, int kStride>
struct Depthwise {
  DepthwiseMaps maps;
  Blocks<kWidth> blocks;  // that the output is cut in
  const T* input;
  const T* kernel;
  const T* bias;  // null: 0
  bool clips;
  float ceiling;
  T* output;

  WEIR_ON_DEVICE void operator()(std::size_t thread) const {
    constexpr int kRead = (kColumns - 1) * kStride + kSide;  // columns under the block's windows
    if (thread >= blocks.threads()) return;
    const Place place = blocks.PlaceOf(thread);
    float taps[kTaps][kWidth], sums[kColumns][kWidth] = {};
    LoadTaps(kernel + place.channel * kTaps, taps);
    const int first = static_cast<int>(place.block) * kColumns * kStride - int(maps.pad_left);
    WEIR_UNROLL
    for (int i = 0; i < kSide; ++i) {
      const int y = static_cast<int>(place.row) * kStride + i - int(maps.pad_top);
      if (y < 0 || y >= maps.in_height) continue;
      const T* const row = input + RowStart(place.sample, maps.in_height, maps.in_width, y,
                                            maps.channels, place.channel);
      WEIR_UNROLL
      for (int k = 0; k < kRead; ++k) {
        const int x = first + k;
        float value[kWidth];
        LoadInside(x >= 0 && x < maps.in_width, row + x * maps.channels, value);
        WEIR_UNROLL
        for (int b = 0; b < kColumns; ++b) {
          const int j = k - b * kStride;
          if (j >= 0 && j < kSide) AddProduct(value, taps[kSide * i + j], sums[b]);
        }
      }
    }
    Write(place, sums);
  }

  WEIR_ON_DEVICE void Write(const Place& place, float (&sums)[kColumns][kWidth]) const {
    float start[kWidth] = {};
    if (bias != nullptr) Load(bias + place.channel, start);
    T* const row = output + RowStart(place.sample, maps.out_height, maps.out_width, place.row,
                                     maps.channels, place.channel);
    WEIR_UNROLL
    for (int b = 0; b < kColumns; ++b) {
      const unsigned x = place.block * kColumns + b;
      if (x >= maps.out_width) continue;
      WEIR_UNROLL
      for (int i = 0; i < kWidth; ++i) {
        const float value = sums[b][i] + start[i];
        sums[b][i] = !clips ? value : value < 0 ? 0 : value > ceiling ? ceiling : value;  // or NaN
      }
      Store(sums[b], row + x * maps.channels);
    }
  }
};

// of_in[v, u] = the sum over i and j, where both fractions are whole numbers inside the output, of
//   of_out[(v + pad_top - i) / stride, (u + pad_left - j) / stride] kernel[i, j].
// The blocks are of u + pad_left, so that each begins at a whole multiple of the stride.
template <int kWidth, int kStride>
struct DepthwiseInputGradient {
  DepthwiseMaps maps;
  Blocks<kWidth> blocks;
  const float* gradient;
  const float* kernel;
  float* of_input;

  WEIR_ON_DEVICE void operator()(std::size_t thread) const {
    constexpr int kReach = (kSide - 1) / kStride;  // columns before the block that still count
    constexpr int kRead = (kColumns - 1) / kStride + kReach + 1;
    if (thread >= blocks.threads()) return;
    const Place place = blocks.PlaceOf(thread);
    float taps[kTaps][kWidth], sums[kColumns][kWidth] = {};
    LoadTaps(kernel + place.channel * kTaps, taps);
    const int first = static_cast<int>(place.block) * kColumns / kStride - kReach;
    WEIR_UNROLL
    for (int i = 0; i < kSide; ++i) {
      const int above = static_cast<int>(place.row) + int(maps.pad_top) - i;
      const int y = above / kStride;
      if (above < 0 || above % kStride != 0 || y >= maps.out_height) continue;
      const float* const row = gradient + RowStart(place.sample, maps.out_height, maps.out_width, y,
                                                   maps.channels, place.channel);
      WEIR_UNROLL
      for (int k = 0; k < kRead; ++k) {
        const int x = first + k;
        float value[kWidth];
        LoadInside(x >= 0 && x < maps.out_width, row + x * maps.channels, value);
        WEIR_UNROLL
        for (int b = 0; b < kColumns; ++b) {
          const int j = b + kReach * kStride - k * kStride;
          if (j >= 0 && j < kSide) AddProduct(value, taps[kSide * i + j], sums[b]);
        }
      }
    }
    float* const row = of_input + RowStart(place.sample, maps.in_height, maps.in_width, place.row,
                                           maps.channels, place.channel);
    WEIR_UNROLL
    for (int b = 0; b < kColumns; ++b) {
      const int u = static_cast<int>(place.block) * kColumns + b - int(maps.pad_left);
      if (u >= 0 && u < maps.in_width) Store(sums[b], row + u * maps.channels);
    }
  }
};

// Calls call(width, stride), two integral constants.
template <class Call>
void WithShape(const DepthwiseMaps& maps, bool is_aligned, const Call& call) {
  const bool is_wide = is_aligned && maps.channels % 4 == 0;
  using One = std::integral_constant<int, 1>;
  using Two = std::integral_constant<int, 2>;
  using Four = std::integral_constant<int, 4>;
  if (maps.stride == 1) {
    is_wide ? call(Four(), One()) : call(One(), One());
  } else {
    is_wide ? call(Four(), Two()) : call(One(), Two());
  }
}

template <class T, class Launch>
void DepthwiseIn(const Launch& launch, const DepthwiseMaps& maps, const T* input, const T* kernel,
                 const T* bias, std::optional<float> ceiling, T* output) {
  constexpr std::size_t kLine = 4 * sizeof(T);
  const bool is_aligned = IsAligned(input, kLine) && IsAligned(kernel, kLine) &&
                          IsAligned(bias, kLine) && IsAligned(output, kLine);
  WithShape(maps, is_aligned, [&](auto width, auto stride) {
    const auto blocks = MakeBlocks<width()>(maps, maps.out_width, maps.out_height);
    launch(blocks.threads(),
           Depthwise<T, width(), stride()>{maps, blocks, input, kernel, bias, ceiling.has_value(),
                                           ceiling.value_or(0), output});
  });
}

// The functions of kernels.h, but with `launch` in place of a stream.
template <class Launch>
void DepthwiseBy(const Launch& launch, const DepthwiseMaps& maps, MapType type, const void* input,
                 const void* kernel, const void* bias, std::optional<float> ceiling, void* output) {
  if (maps.count == 0) return;
  const auto run = [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    DepthwiseIn<T>(launch, maps, static_cast<const T*>(input), static_cast<const T*>(kernel),
                   static_cast<const T*>(bias), ceiling, to);
  };
  if (type == MapType::kFloat32) {
    run(static_cast<float*>(output));
  } else {
    run(static_cast<__nv_bfloat16*>(output));
  }
}

template <class Launch>
void DepthwiseInputGradientBy(const Launch& launch, const DepthwiseMaps& maps,
                              const float* gradient, const float* kernel, float* of_input) {
  if (maps.count == 0) return;
  constexpr std::size_t kLine = 4 * sizeof(float);
  const bool is_aligned =
      IsAligned(gradient, kLine) && IsAligned(kernel, kLine) && IsAligned(of_input, kLine);
  WithShape(maps, is_aligned, [&](auto width, auto stride) {
    const auto blocks = MakeBlocks<width()>(maps, maps.in_width + maps.pad_left, maps.in_height);
    launch(blocks.threads(),
           DepthwiseInputGradient<width(), stride()>{maps, blocks, gradient, kernel, of_input});
  });
}

}  // namespace weir::kernel
