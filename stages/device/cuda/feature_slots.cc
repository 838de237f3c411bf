#include "stages/device/cuda/feature_slots.h"

#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <utility>

namespace weir {
namespace {

bool HasEnded(const Event& event) {
  const cudaError_t status = cudaEventQuery(event.get());
  if (status == cudaErrorNotReady) {
    cudaGetLastError();  // it is told once
    return false;
  }
  Check(status, "tell what it has done");
  return true;
}

}  // namespace

// Features in a place, which is returned when they end. Keeps all places alive.
class FeatureSlots::Held final : public DeviceFeatures {
 public:
  Held(std::shared_ptr<FeatureSlots> slots, Slot& slot) : slots_(std::move(slots)), slot_(slot) {}
  ~Held() override { slot_.is_taken.store(false, std::memory_order_release); }

  const float* BeginUse() override {
    Check(cudaStreamWaitEvent(c10::cuda::getCurrentCUDAStream(), slot_.made.get(), 0),
          "wait for features");
    return slot_.features.const_data_ptr<float>();
  }
  void EndUse() override {
    Check(cudaEventRecord(slot_.used.get(), c10::cuda::getCurrentCUDAStream()), "record an event");
  }
  void Fetch(AlignedBuffer<float>& to) override {
    const c10::cuda::CUDAGuard on_device(slots_->device_.index());
    Check(cudaEventSynchronize(slot_.made.get()), "run the model");
    Check(
        cudaMemcpy(to.data(), slot_.features.const_data_ptr(), to.bytes(), cudaMemcpyDeviceToHost),
        "give back the features");
  }

 private:
  const std::shared_ptr<FeatureSlots> slots_;
  Slot& slot_;
};

FeatureSlots::FeatureSlots(c10::Device device, int count, const Shape& dims)
    : device_(device), slots_(static_cast<std::size_t>(count)) {
  for (Slot& slot : slots_) {
    slot.features = at::empty(dims, at::TensorOptions(device).dtype(at::kFloat));
    slot.made = MakeEvent();
    slot.used = MakeEvent();
  }
}

FeatureSlots::Place FeatureSlots::TryTake(int samples) {
  for (Slot& slot : slots_) {
    if (slot.is_taken.load(std::memory_order_acquire) || !HasEnded(slot.used)) continue;
    slot.is_taken.store(true, std::memory_order_relaxed);
    return {.features = slot.features.narrow(0, 0, samples),
            .made = slot.made.get(),
            .holder = std::make_shared<Held>(shared_from_this(), slot)};
  }
  return {};
}

}  // namespace weir
