// OptimizerStep::Apply over a run of parameters that is on a device, by LibTorch.
//
// Takes two runs for a moment where the norm is limited, as LibTorch sums doubles, and what the
// optimizer takes. In inference mode; any thread, on arrays of its own.
#pragma once

#include <cstdint>

#include "stages/train/optimizers/on_device/device_step.h"
#include "stages/train/optimizers/optimizer_step.h"

namespace weir {

void ApplyOnDevice(const OptimizerStep& optimizer_step, const DeviceArrays& arrays,
                   std::uint64_t step, double learning_rate);

}  // namespace weir
