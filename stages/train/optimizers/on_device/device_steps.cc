#include "stages/train/optimizers/on_device/device_steps.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "framework/error.h"

namespace weir {
namespace {

constexpr const DeviceStep* kDeviceSteps[] = {
    &kAdamOnDevice, &kAdamWOnDevice, &kSgdOnDevice,   &kRmspropOnDevice,
    &kLionOnDevice, &kLambOnDevice,  &kNadamOnDevice, &kAdagradOnDevice,
};

}  // namespace

void StepOnDevice(const Optimizer& optimizer, const DeviceArrays& arrays, std::uint64_t step,
                  double learning_rate) {
  const auto found = std::ranges::find_if(
      kDeviceSteps, [&](const DeviceStep* row) { return row->is_of(optimizer); });
  if (found == std::end(kDeviceSteps)) {
    throw Error(ErrorKind::kInternal,
                "no step on a device is of the optimizer " + std::string(optimizer.name()));
  }
  (*found)->run(optimizer, arrays, step, learning_rate);
}

}  // namespace weir
