// The GPUs of this machine as the CUDA runtime sees them. Any thread; makes no context but where
// said.
#pragma once

#include <string>
#include <vector>

#include "stages/device/cuda/nvml.h"
#include "stages/device/device.h"

namespace weir {

// Throws Error(kConfig) that says why where there is none: no driver, one that is too old, no GPU.
int CountGpus();

// Throws Error(kConfig) where GPU `index` is older than weir and LibTorch are compiled for.
void CheckGpu(int index);

GpuDescription Describe(int index, const Nvml& nvml);  // the context, where NVML tells no memory
GpuAddress AddressOf(int index);

}  // namespace weir
