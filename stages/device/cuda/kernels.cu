#include <cuda_bf16.h>

#include "stages/device/cuda/kernels.h"

namespace weir {
namespace {

constexpr int kThreads = 256;
constexpr unsigned kValuesAThread = 4;  // a word of pixels

__host__ __device__ constexpr std::size_t BlocksFor(std::size_t threads) {
  return (threads + kThreads - 1) / kThreads;
}

__device__ std::size_t GlobalThread() {
  return static_cast<std::size_t>(blockIdx.x) * kThreads + threadIdx.x;
}

__device__ float ToFloat(float value) { return value; }
__device__ float ToFloat(__nv_bfloat16 value) { return __bfloat162float(value); }

template <class T>
__device__ T FromFloat(float value);
template <>
__device__ float FromFloat(float value) {
  return value;
}
template <>
__device__ __nv_bfloat16 FromFloat(float value) {
  return __float2bfloat16_rn(value);
}

// Written by one store.
template <class T>
struct alignas(kValuesAThread * sizeof(T)) Quad {
  T values[kValuesAThread];
};

// Not contracted to a fused multiply-add, which the host's build does not have.
__device__ float Apply(const ChannelMap& map, unsigned channel, std::uint8_t x) {
  const float scale = channel == 0 ? map.scale[0] : channel == 1 ? map.scale[1] : map.scale[2];
  const float offset = channel == 0 ? map.offset[0] : channel == 1 ? map.offset[1] : map.offset[2];
  return __fadd_rn(__fmul_rn(static_cast<float>(x), scale), offset);
}

// Neighbouring threads read neighbouring words and write neighbouring quads, where they are
// aligned.
template <class T, bool kAligned>
__global__ void Normalise(const std::uint8_t* from, std::size_t values, ChannelMap map, T* to) {
  const std::size_t begin = GlobalThread() * kValuesAThread;
  if (begin >= values) return;
  const auto channel = static_cast<unsigned>(begin % 3);
  if (begin + kValuesAThread > values) {
    for (std::size_t i = begin; i < values; ++i) {
      to[i] = FromFloat<T>(Apply(map, static_cast<unsigned>(i % 3), from[i]));
    }
    return;
  }
  std::uint8_t pixels[kValuesAThread];
  if (kAligned) {
    const uchar4 word = *reinterpret_cast<const uchar4*>(from + begin);
    pixels[0] = word.x;
    pixels[1] = word.y;
    pixels[2] = word.z;
    pixels[3] = word.w;
  } else {
#pragma unroll
    for (unsigned i = 0; i < kValuesAThread; ++i) pixels[i] = from[begin + i];
  }
  Quad<T> quad;
#pragma unroll
  for (unsigned i = 0; i < kValuesAThread; ++i) {
    quad.values[i] = FromFloat<T>(Apply(map, (channel + i) % 3, pixels[i]));
  }
  if (kAligned) {
    *reinterpret_cast<Quad<T>*>(to + begin) = quad;
  } else {
#pragma unroll
    for (unsigned i = 0; i < kValuesAThread; ++i) to[begin + i] = quad.values[i];
  }
}

template <class P>
bool IsAligned(const P* pointer, std::size_t bytes) {
  return reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0;
}

template <class T>
void NormaliseTo(const std::uint8_t* from, std::size_t values, const ChannelMap& map, T* to,
                 cudaStream_t stream) {
  const auto blocks =
      static_cast<unsigned>(BlocksFor((values + kValuesAThread - 1) / kValuesAThread));
  if (IsAligned(from, alignof(uchar4)) && IsAligned(to, alignof(Quad<T>))) {
    Normalise<T, true><<<blocks, kThreads, 0, stream>>>(from, values, map, to);
  } else {
    Normalise<T, false><<<blocks, kThreads, 0, stream>>>(from, values, map, to);
  }
}

struct Sum {
  static __device__ float Begin() { return 0; }
  static __device__ float Join(float a, float b) { return __fadd_rn(a, b); }
  static __device__ float End(float all, int pixels) {
    return __fmul_rn(all, 1.0f / static_cast<float>(pixels));
  }
};

struct Largest {
  static __device__ float Begin() { return -INFINITY; }
  // A NaN stays, as on the host.
  static __device__ float Join(float a, float b) { return b > a || isnan(b) ? b : a; }
  static __device__ float End(float all, int) { return all; }
};

// A thread makes a value; those of neighbouring channels read side by side.
template <class Reduction, class T>
__global__ void Pool(const T* from, int n, int pixels, int channels, float* to) {
  const std::size_t index = GlobalThread();
  if (index >= static_cast<std::size_t>(n) * channels) return;
  const std::size_t sample = index / channels;
  const std::size_t channel = index % channels;
  const T* map = from + sample * pixels * channels + channel;
  float all = Reduction::Begin();
  for (int i = 0; i < pixels; ++i) {
    all = Reduction::Join(all, ToFloat(map[static_cast<std::size_t>(i) * channels]));
  }
  to[index] = Reduction::End(all, pixels);
}

template <class Reduction>
void PoolBy(const void* from, MapType type, int n, int pixels, int channels, float* to,
            cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>(BlocksFor(static_cast<std::size_t>(n) * channels));
  if (type == MapType::kFloat32) {
    Pool<Reduction>
        <<<blocks, kThreads, 0, stream>>>(static_cast<const float*>(from), n, pixels, channels, to);
  } else {
    Pool<Reduction><<<blocks, kThreads, 0, stream>>>(static_cast<const __nv_bfloat16*>(from), n,
                                                     pixels, channels, to);
  }
}

}  // namespace

void LaunchNormalise(const std::uint8_t* from, std::size_t values, ChannelMap map, MapType type,
                     void* to, cudaStream_t stream) {
  if (values == 0) return;
  if (type == MapType::kFloat32) {
    NormaliseTo(from, values, map, static_cast<float*>(to), stream);
  } else {
    NormaliseTo(from, values, map, static_cast<__nv_bfloat16*>(to), stream);
  }
}

void LaunchAveragePool(const void* from, MapType type, int n, int pixels, int channels, float* to,
                       cudaStream_t stream) {
  if (n > 0) PoolBy<Sum>(from, type, n, pixels, channels, to, stream);
}

void LaunchMaxPool(const void* from, MapType type, int n, int pixels, int channels, float* to,
                   cudaStream_t stream) {
  if (n > 0) PoolBy<Largest>(from, type, n, pixels, channels, to, stream);
}

}  // namespace weir
