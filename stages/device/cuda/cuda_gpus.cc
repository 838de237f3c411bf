#include "stages/device/cuda/cuda_gpus.h"

#include <c10/cuda/CUDAGuard.h>

#include <array>

#include "framework/error.h"
#include "stages/device/cuda/cuda_error.h"

namespace weir {
namespace {

constexpr int kOldestMajor = 7;  // Turing, the oldest that CUDA 13 compiles for
constexpr int kOldestMinor = 5;

std::string VersionText(int version) {  // 13000
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string WhyNone(cudaError_t status) {
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0) return "there is no NVIDIA driver here (libcuda.so.1 cannot be loaded)";
  if (status == cudaErrorInsufficientDriver) {
    return "the NVIDIA driver is too old: it knows CUDA " + VersionText(driver) +
           ", and this weir was built with CUDA " + VersionText(CUDART_VERSION);
  }
  if (status == cudaErrorNoDevice || status == cudaSuccess) {
    return "the NVIDIA driver sees no GPU here (or CUDA_VISIBLE_DEVICES hides it)";
  }
  return std::string("the NVIDIA driver does not answer: ") + cudaGetErrorString(status);
}

cudaDeviceProp PropertiesOf(int index) {
  cudaDeviceProp properties{};
  Check(cudaGetDeviceProperties(&properties, index), "tell what it is");
  return properties;
}

// As NVIDIA writes it: "f8e5d2c1-0011-2233-4455-66778899aabb".
std::string Text(const cudaUUID_t& uuid) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(uuid.bytes[i]);
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return text;
}

}  // namespace

int CountGpus() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return count;
  cudaGetLastError();  // it is told once
  throw Error(ErrorKind::kConfig, WhyNone(status));
}

void CheckGpu(int index) {
  const cudaDeviceProp properties = PropertiesOf(index);
  if (properties.major * 10 + properties.minor >= kOldestMajor * 10 + kOldestMinor) return;
  throw Error(ErrorKind::kConfig, std::string(properties.name) + " is of compute capability " +
                                      std::to_string(properties.major) + "." +
                                      std::to_string(properties.minor) + ", and weir needs " +
                                      std::to_string(kOldestMajor) + "." +
                                      std::to_string(kOldestMinor));
}

GpuAddress AddressOf(int index) {
  const cudaDeviceProp properties = PropertiesOf(index);
  std::array<char, 32> bus_id{};
  Check(cudaDeviceGetPCIBusId(bus_id.data(), static_cast<int>(bus_id.size()), index),
        "tell where it is");
  return {.uuid = Text(properties.uuid),
          .bus_id = bus_id.data(),
          .total_bytes = properties.totalGlobalMem};
}

GpuDescription Describe(int index, const Nvml& nvml) {
  const cudaDeviceProp properties = PropertiesOf(index);
  GpuDescription gpu;
  gpu.name = properties.name;
  gpu.total_bytes = properties.totalGlobalMem;
  gpu.compute_capability =
      std::to_string(properties.major) + "." + std::to_string(properties.minor);
  gpu.driver = nvml.driver_version().value_or("");
  if (const auto memory = nvml.MemoryOf(AddressOf(index))) {
    gpu.free_bytes = memory->free_bytes;
  } else {
    const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(index));
    std::size_t total_bytes = 0;
    Check(cudaMemGetInfo(&gpu.free_bytes, &total_bytes), "tell how much memory is free");
  }
  return gpu;
}

}  // namespace weir
