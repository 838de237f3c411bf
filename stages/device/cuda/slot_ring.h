// Slots through which batches go to the device: which is free, and who holds which.
//
// A slot is free again once the batch in it has ended and the device is done with what was started
// on it. That is asked, never waited for: where no slot is free the batch stays on the host.
//
// Upload() is called by one thread at a time; a batch may end in any thread. Holds what its
// transfers hold.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "stages/device/device.h"
#include "stages/payloads.h"

struct CUstream_st;

namespace weir {

using StreamHandle = CUstream_st*;  // CUDA's cudaStream_t

// What moves the bytes; CUDA's is PinnedSlots.
class SlotTransfers {
 public:
  virtual ~SlotTransfers() = default;

  // Copies `bytes` to the slot and starts their way to the device. Does not wait for the device.
  virtual void Start(int slot, const std::uint8_t* pixels, std::size_t bytes) = 0;

  // Whether all that was started on the slot has ended. Does not wait.
  virtual bool IsIdle(int slot) = 0;

  // Work that `stream` is given after BeginUse sees the pixels, which stay until the work that it
  // was given before EndUse has ended. Neither waits. Gives the pixels' address on the device.
  virtual const std::uint8_t* BeginUse(int slot, StreamHandle stream) = 0;
  virtual void EndUse(int slot, StreamHandle stream) = 0;
};

class SlotRing {
 public:
  SlotRing(std::unique_ptr<SlotTransfers> transfers, int slots);

  // A free slot, which is then the caller's; -1 where there is none.
  int TryTake();
  void Return(int slot) { taken_[slot].store(false, std::memory_order_release); }

  SlotTransfers& transfers() { return *transfers_; }

 private:
  std::unique_ptr<SlotTransfers> transfers_;
  std::vector<std::atomic<bool>> taken_;
  std::size_t next_ = 0;  // where the search begins: the slot that has rested longest
};

// Pixels in a slot, which is returned when the batch ends. Keeps the ring alive.
class RingSlot final : public DeviceBatch {
 public:
  RingSlot(std::shared_ptr<SlotRing> ring, int slot) : ring_(std::move(ring)), slot_(slot) {}
  ~RingSlot() override { ring_->Return(slot_); }

  const std::uint8_t* BeginUse(StreamHandle stream) {
    return ring_->transfers().BeginUse(slot_, stream);
  }
  void EndUse(StreamHandle stream) { ring_->transfers().EndUse(slot_, stream); }

 private:
  std::shared_ptr<SlotRing> ring_;
  int slot_;
};

class RingUploader final : public Uploader {
 public:
  explicit RingUploader(std::shared_ptr<SlotRing> ring) : ring_(std::move(ring)) {}
  void Upload(Batch& batch) override;

 private:
  std::shared_ptr<SlotRing> ring_;
};

}  // namespace weir
