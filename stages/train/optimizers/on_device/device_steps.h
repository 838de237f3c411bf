// The list of the optimizers' steps on a device.
#pragma once

#include <cstdint>

#include "stages/train/optimizers/on_device/device_step.h"

namespace weir {

extern const DeviceStep kAdagradOnDevice, kAdamOnDevice, kAdamWOnDevice, kLambOnDevice,
    kLionOnDevice, kNadamOnDevice, kRmspropOnDevice, kSgdOnDevice;

// Throws Error(kInternal) where the list has no row for `optimizer`.
void StepOnDevice(const Optimizer& optimizer, const DeviceArrays& arrays, std::uint64_t step,
                  double learning_rate);

}  // namespace weir
