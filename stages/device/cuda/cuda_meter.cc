#include "stages/device/cuda/cuda_meter.h"

#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "stages/device/cuda/cuda_error.h"

namespace weir {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

// What was in use on the card when this was first asked: later there is a context of our own. 0
// where it is not told.
std::size_t UsedBefore(const GpuAddress& gpu, const Nvml& nvml) {
  static std::mutex mutex;
  static std::map<std::string, std::size_t> first;
  std::lock_guard lock(mutex);
  const auto found = first.find(gpu.uuid);
  if (found != first.end()) return found->second;
  const auto memory = nvml.MemoryOf(gpu);
  if (memory) first[gpu.uuid] = memory->used_bytes;
  return memory ? memory->used_bytes : 0;
}

c10::CachingAllocator::Stat ReservedBytes(int device) {
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return allocator::getDeviceStats(static_cast<c10::DeviceIndex>(device)).reserved_bytes[kAll];
}

}  // namespace

CudaMeter::CudaMeter(int device, GpuAddress gpu, const Nvml& nvml)
    : device_(device),
      gpu_(std::move(gpu)),
      nvml_(nvml),
      used_before_bytes_(UsedBefore(gpu_, nvml_)) {}

CudaMeter::Held CudaMeter::process_bytes(std::size_t known_bytes) {
  const auto told = nvml_.ProcessBytes(gpu_, static_cast<unsigned>(getpid()));
  if (told && *told >= known_bytes + DeviceLedger::kLeastContext) return {.bytes = *told};
  if (const auto memory = nvml_.MemoryOf(gpu_)) {
    return {.bytes = memory->used_bytes - std::min(memory->used_bytes, used_before_bytes_),
            .may_be_others = true};
  }
  const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(device_));
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  Check(cudaMemGetInfo(&free_bytes, &total_bytes), "tell how much memory is free");
  return {.bytes = total_bytes - free_bytes, .may_be_others = true};
}

std::size_t CudaMeter::torch_bytes() {
  return static_cast<std::size_t>(ReservedBytes(device_).current);
}

std::size_t CudaMeter::torch_peak_bytes() {
  return static_cast<std::size_t>(ReservedBytes(device_).peak);
}

void CudaMeter::ForgetTorchPeak() {
  allocator::resetPeakStats(static_cast<c10::DeviceIndex>(device_));
}

void CudaMeter::AllowTorch(std::size_t bytes) {
  const double part = static_cast<double>(bytes) / static_cast<double>(gpu_.total_bytes);
  allocator::setMemoryFraction(std::min(part, 1.0), static_cast<c10::DeviceIndex>(device_));
}

}  // namespace weir
