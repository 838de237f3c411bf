// CUDA's slot transfers: pinned memory on the host, as much on the device, a copy stream, and two
// events for each slot. The host never waits for the device but when they end.
//
// Threads as SlotRing says. Holds `slots` * `slot_bytes` on the host (pinned; paid for by the stage
// `prefetch`) and on the device (a lease).
#pragma once

#include <vector>

#include "stages/device/cuda/cuda_error.h"
#include "stages/device/cuda/device_ledger.h"
#include "stages/device/cuda/slot_ring.h"

namespace weir {

class PinnedSlots final : public SlotTransfers {
 public:
  // What one slot takes: `batch_bytes`, so that each begins at a boundary that the kernels like.
  static std::size_t SlotBytes(std::size_t batch_bytes);

  // Throws Error(kMemory) where the ledger or the host has no room for them.
  PinnedSlots(int device, DeviceLedger& ledger, int slots, std::size_t batch_bytes);
  ~PinnedSlots() override;

  void Start(int slot, const std::uint8_t* pixels, std::size_t bytes) override;
  bool IsIdle(int slot) override;
  const std::uint8_t* BeginUse(int slot, StreamHandle stream) override;
  void EndUse(int slot, StreamHandle stream) override;

 private:
  struct StreamEnd {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
  };
  struct HostEnd {
    void operator()(std::uint8_t* memory) const { cudaFreeHost(memory); }
  };
  struct DeviceEnd {
    void operator()(std::uint8_t* memory) const { cudaFree(memory); }
  };

  const int device_;
  const std::size_t slot_bytes_;
  Lease lease_;
  std::unique_ptr<std::uint8_t, HostEnd> pinned_;
  std::unique_ptr<std::uint8_t, DeviceEnd> on_device_;
  std::unique_ptr<CUstream_st, StreamEnd> stream_;
  std::vector<Event> copied_;  // one a slot: its pixels have arrived
  std::vector<Event> used_;    // one a slot: what read them has ended
};

}  // namespace weir
