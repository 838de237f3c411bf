// What weir's kernels compute, thread by thread: compiled by nvcc for the device (kernels.cu) and
// by a host's compiler for tests, which then run the same arithmetic of indices in a loop. Read as
// C++17, without LibTorch.
//
// `launch(threads, body)`, given by who includes this, calls body(thread) once for each thread of
// as many blocks of kThreadsOfBlock as hold `threads` of them: a body is called for threads beyond
// its last one, too. Its calls may run in any order and side by side.
#pragma once

#include <cuda_bf16.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "stages/device/cuda/kernels.h"

#ifdef __CUDACC__
#define WEIR_ON_DEVICE __host__ __device__
#else
#define WEIR_ON_DEVICE
#endif

namespace weir::kernel {

inline constexpr unsigned kThreadsOfBlock = 256;
inline constexpr unsigned kValuesOfThread = 4;  // a word of pixels

inline unsigned BlocksFor(std::size_t threads) {
  return static_cast<unsigned>((threads + kThreadsOfBlock - 1) / kThreadsOfBlock);
}

// A sum and a product that are rounded one after the other: not contracted to a fused multiply-add,
// which the host's build does not have either.
WEIR_ON_DEVICE inline float Sum(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}

WEIR_ON_DEVICE inline float Product(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

WEIR_ON_DEVICE inline float ToFloat(float value) { return value; }
WEIR_ON_DEVICE inline float ToFloat(__nv_bfloat16 value) { return __bfloat162float(value); }

template <class T>
WEIR_ON_DEVICE inline T FromFloat(float value);
template <>
WEIR_ON_DEVICE inline float FromFloat(float value) {
  return value;
}
template <>
WEIR_ON_DEVICE inline __nv_bfloat16 FromFloat(float value) {
  return __float2bfloat16_rn(value);
}

// Written by one store.
template <class T>
struct alignas(kValuesOfThread * sizeof(T)) Quad {
  T values[kValuesOfThread];
};

// Read by one load.
struct alignas(kValuesOfThread) Word {
  std::uint8_t values[kValuesOfThread];
};

WEIR_ON_DEVICE inline float Apply(const ChannelMap& map, unsigned channel, std::uint8_t x) {
  const float scale = channel == 0 ? map.scale[0] : channel == 1 ? map.scale[1] : map.scale[2];
  const float offset = channel == 0 ? map.offset[0] : channel == 1 ? map.offset[1] : map.offset[2];
  return Sum(Product(static_cast<float>(x), scale), offset);
}

// Neighbouring threads read neighbouring words and write neighbouring quads, where they are
// aligned.
template <class T, bool kAligned>
struct Normalise {
  const std::uint8_t* from;
  std::size_t values;
  ChannelMap map;
  T* to;

  WEIR_ON_DEVICE void operator()(std::size_t thread) const {
    const std::size_t begin = thread * kValuesOfThread;
    if (begin >= values) return;
    const auto channel = static_cast<unsigned>(begin % 3);
    if (begin + kValuesOfThread > values) {
      for (std::size_t i = begin; i < values; ++i) {
        to[i] = FromFloat<T>(Apply(map, static_cast<unsigned>(i % 3), from[i]));
      }
      return;
    }
    Word word;
    if (kAligned) {
      word = *reinterpret_cast<const Word*>(from + begin);
    } else {
      for (unsigned i = 0; i < kValuesOfThread; ++i) word.values[i] = from[begin + i];
    }
    Quad<T> quad;
    for (unsigned i = 0; i < kValuesOfThread; ++i) {
      quad.values[i] = FromFloat<T>(Apply(map, (channel + i) % 3, word.values[i]));
    }
    if (kAligned) {
      *reinterpret_cast<Quad<T>*>(to + begin) = quad;
    } else {
      for (unsigned i = 0; i < kValuesOfThread; ++i) to[begin + i] = quad.values[i];
    }
  }
};

template <class P>
bool IsAligned(const P* pointer, std::size_t bytes) {
  return reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0;
}

template <class T, class Launch>
void NormaliseTo(const std::uint8_t* from, std::size_t values, const ChannelMap& map, T* to,
                 const Launch& launch) {
  const std::size_t threads = (values + kValuesOfThread - 1) / kValuesOfThread;
  if (IsAligned(from, alignof(Word)) && IsAligned(to, alignof(Quad<T>))) {
    launch(threads, Normalise<T, true>{from, values, map, to});
  } else {
    launch(threads, Normalise<T, false>{from, values, map, to});
  }
}

struct Mean {
  static WEIR_ON_DEVICE float Begin() { return 0; }
  static WEIR_ON_DEVICE float Join(float a, float b) { return Sum(a, b); }
  static WEIR_ON_DEVICE float End(float all, int pixels) {
    return Product(all, 1.0f / static_cast<float>(pixels));
  }
};

struct Largest {
  static WEIR_ON_DEVICE float Begin() { return -INFINITY; }
  // A NaN stays, as on the host.
  static WEIR_ON_DEVICE float Join(float a, float b) { return b > a || b != b ? b : a; }
  static WEIR_ON_DEVICE float End(float all, int) { return all; }
};

// A thread makes a value; those of neighbouring channels read side by side.
template <class Reduction, class T>
struct Pool {
  const T* from;
  int n, pixels, channels;
  float* to;

  WEIR_ON_DEVICE void operator()(std::size_t thread) const {
    if (thread >= static_cast<std::size_t>(n) * channels) return;
    const std::size_t sample = thread / channels;
    const std::size_t channel = thread % channels;
    const T* map = from + sample * pixels * channels + channel;
    float all = Reduction::Begin();
    for (int i = 0; i < pixels; ++i) {
      all = Reduction::Join(all, ToFloat(map[static_cast<std::size_t>(i) * channels]));
    }
    to[thread] = Reduction::End(all, pixels);
  }
};

// The functions of kernels.h, but with `launch` in place of a stream.
template <class Launch>
void NormaliseBy(const Launch& launch, const std::uint8_t* from, std::size_t values,
                 const ChannelMap& map, MapType type, void* to) {
  if (values == 0) return;
  if (type == MapType::kFloat32) {
    NormaliseTo(from, values, map, static_cast<float*>(to), launch);
  } else {
    NormaliseTo(from, values, map, static_cast<__nv_bfloat16*>(to), launch);
  }
}

template <class Reduction, class Launch>
void PoolBy(const Launch& launch, const void* from, MapType type, int n, int pixels, int channels,
            float* to) {
  if (n <= 0) return;
  const std::size_t threads = static_cast<std::size_t>(n) * channels;
  if (type == MapType::kFloat32) {
    const auto* maps = static_cast<const float*>(from);
    launch(threads, Pool<Reduction, float>{maps, n, pixels, channels, to});
  } else {
    const auto* maps = static_cast<const __nv_bfloat16*>(from);
    launch(threads, Pool<Reduction, __nv_bfloat16>{maps, n, pixels, channels, to});
  }
}

}  // namespace weir::kernel
