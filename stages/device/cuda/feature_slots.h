// Places on the device for features that stay there, from the stage that makes them to the one that
// learns from them: which is free, and who holds which.
//
// A place is free again once the features in it have ended and the device is done with the work
// that reads them. That is asked, never waited for: where no place is free the features go to the
// host.
//
// TryTake() is called by one thread at a time; features may end in any thread. Holds, of LibTorch's
// memory, a batch of features for each place.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <memory>
#include <vector>

#include "framework/shape.h"
#include "stages/device/cuda/cuda_error.h"
#include "stages/payloads.h"

namespace weir {

class FeatureSlots : public std::enable_shared_from_this<FeatureSlots> {
 public:
  // `count` places of float32 [dims...], on the current stream of `device`.
  FeatureSlots(c10::Device device, int count, const Shape& dims);

  // Features of `samples` rows, which the caller makes next: `made` is recorded once they are
  // whole. Null where no place is free.
  struct Place {
    at::Tensor features;
    cudaEvent_t made = nullptr;
    std::shared_ptr<DeviceFeatures> holder;
  };
  Place TryTake(int samples);

 private:
  class Held;
  struct Slot {
    at::Tensor features;
    Event made, used;
    std::atomic<bool> is_taken{false};
  };

  const c10::Device device_;
  std::vector<Slot> slots_;
};

}  // namespace weir
