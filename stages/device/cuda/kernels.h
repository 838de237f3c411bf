// weir's own kernels, as C++ sees them. Each queues its work on `stream` and returns; what the
// launch itself says is checked by the caller with cudaGetLastError. Pointers are to the device.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stages/kernels/depthwise_maps.h"

namespace weir {

enum class MapType { kFloat32, kBfloat16 };

// Per channel (red, green, blue): x * scale + offset, rounded after each, as on the host.
struct ChannelMap {
  float scale[3];
  float offset[3];
};

// uint8 [values / 3, 3] to `type` of the same shape: preprocessing, the layout kept. Faster where
// `from` is aligned to 4 bytes and `to` to 16.
void LaunchNormalise(const std::uint8_t* from, std::size_t values, ChannelMap map, MapType type,
                     void* to, cudaStream_t stream);

// [n, pixels, channels] of `type` to float32 [n, channels]. Each value is the sum (over pixels, in
// their order) times 1 / pixels, or the maximum, so its bits depend on nothing but its own map.
void LaunchAveragePool(const void* from, MapType type, int n, int pixels, int channels, float* to,
                       cudaStream_t stream);
void LaunchMaxPool(const void* from, MapType type, int n, int pixels, int channels, float* to,
                   cudaStream_t stream);

// 3x3 depthwise convolutions with a stride of 1 or 2 and their gradients, as DepthwiseKernels says
// (depthwise_kernels.h): maps [n, h, w, C], `kernel` [C, 3, 3], `bias` [C], or null for 0; all of
// `type`. Faster where C is a multiple of 4 and addresses are of 4 values. A map has fewer than
// 2^32 values.
void LaunchDepthwise(const DepthwiseMaps& maps, MapType type, const void* input, const void* kernel,
                     const void* bias, std::optional<float> ceiling, void* output,
                     cudaStream_t stream);
void LaunchDepthwiseInputGradient(const DepthwiseMaps& maps, const float* gradient,
                                  const float* kernel, float* of_input, cudaStream_t stream);
// `scratch` has DepthwiseSlices(maps).scratch_floats().
void LaunchDepthwiseKernelGradient(const DepthwiseMaps& maps, const float* gradient,
                                   const float* input, float* scratch, float* of_kernel,
                                   cudaStream_t stream);

}  // namespace weir
