// weir's own kernels, as C++ sees them. Each queues its work on `stream` and returns; what the
// launch itself says is checked by the caller with cudaGetLastError. Pointers are to the device.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

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

}  // namespace weir
