#include "stages/device/cuda/slot_ring.h"

namespace weir {

SlotRing::SlotRing(std::unique_ptr<SlotTransfers> transfers, int slots)
    : transfers_(std::move(transfers)), taken_(slots) {}

int SlotRing::TryTake() {
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    const std::size_t slot = (next_ + i) % taken_.size();
    if (taken_[slot].load(std::memory_order_acquire)) continue;
    if (!transfers_->IsIdle(static_cast<int>(slot))) continue;
    taken_[slot].store(true, std::memory_order_relaxed);
    next_ = slot + 1;
    return static_cast<int>(slot);
  }
  return -1;
}

void RingUploader::Upload(Batch& batch) {
  if (batch.size() == 0) return;
  const int slot = ring_->TryTake();
  if (slot < 0) return;
  auto device = std::make_shared<RingSlot>(ring_, slot);  // returns the slot where Start throws
  const std::size_t bytes = std::size_t{3} * batch.size() * batch.height * batch.width;
  ring_->transfers().Start(slot, batch.pixels.data(), bytes);
  batch.device = std::move(device);
  batch.pixels = {};
}

}  // namespace weir
