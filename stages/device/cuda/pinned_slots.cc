#include "stages/device/cuda/pinned_slots.h"

#include <c10/cuda/CUDAGuard.h>

#include <cstring>

#include "framework/byte_size.h"
#include "framework/error.h"

namespace weir {
namespace {

constexpr std::size_t kBoundary = 256;

bool HasEnded(const Event& event) {  // one that was never recorded has
  const cudaError_t status = cudaEventQuery(event.get());
  if (status == cudaErrorNotReady) return false;
  Check(status, "tell whether a copy has ended");
  return true;
}

std::uint8_t* AllocatePinned(std::size_t bytes) {
  void* memory = nullptr;
  if (cudaHostAlloc(&memory, bytes, cudaHostAllocDefault) == cudaSuccess) {
    return static_cast<std::uint8_t*>(memory);
  }
  cudaGetLastError();
  throw Error(ErrorKind::kMemory,
              "prefetch: the system does not pin " + ToRoundText(ByteSize{bytes}) + " of memory",
              "Set prefetch: {depth: 1}, or make batches smaller.");
}

// Within the limit it may still fail: other processes hold memory there, too.
std::uint8_t* AllocateOnDevice(DeviceLedger& ledger, std::size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    ledger.Refuse("prefetch: the GPU has not " + ToRoundText(ByteSize{bytes}) + " free");
  }
  Check(status, "give memory to prefetch");
  return static_cast<std::uint8_t*>(memory);
}

cudaStream_t MakeStream() {
  cudaStream_t stream = nullptr;
  Check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "make a stream");
  return stream;
}

}  // namespace

std::size_t PinnedSlots::SlotBytes(std::size_t batch_bytes) {
  return (batch_bytes + kBoundary - 1) / kBoundary * kBoundary;
}

PinnedSlots::PinnedSlots(int device, DeviceLedger& ledger, int slots, std::size_t batch_bytes)
    : device_(device),
      slot_bytes_(SlotBytes(batch_bytes)),
      lease_(ledger.Take(MemoryTag::kBatch, slots * slot_bytes_,
                         "prefetch: " + std::to_string(slots) + " batches")) {
  const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(device));
  pinned_.reset(AllocatePinned(slots * slot_bytes_));
  on_device_.reset(AllocateOnDevice(ledger, slots * slot_bytes_));
  stream_.reset(MakeStream());
  for (int i = 0; i < slots; ++i) {
    copied_.push_back(MakeEvent());
    used_.push_back(MakeEvent());
  }
}

PinnedSlots::~PinnedSlots() {
  const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(device_));
  cudaStreamSynchronize(stream_.get());
  for (const Event& event : used_) cudaEventSynchronize(event.get());
}

void PinnedSlots::Start(int slot, const std::uint8_t* pixels, std::size_t bytes) {
  if (bytes > slot_bytes_) {
    throw Error(ErrorKind::kInternal, "prefetch: a batch is larger than was declared");
  }
  const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(device_));
  std::uint8_t* const here = pinned_.get() + slot * slot_bytes_;
  std::memcpy(here, pixels, bytes);
  Check(cudaMemcpyAsync(on_device_.get() + slot * slot_bytes_, here, bytes, cudaMemcpyHostToDevice,
                        stream_.get()),
        "take a batch");
  Check(cudaEventRecord(copied_[slot].get(), stream_.get()), "record an event");
}

bool PinnedSlots::IsIdle(int slot) { return HasEnded(copied_[slot]) && HasEnded(used_[slot]); }

const std::uint8_t* PinnedSlots::BeginUse(int slot, StreamHandle stream) {
  Check(cudaStreamWaitEvent(stream, copied_[slot].get(), 0), "wait for a batch");
  return on_device_.get() + slot * slot_bytes_;
}

void PinnedSlots::EndUse(int slot, StreamHandle stream) {
  Check(cudaEventRecord(used_[slot].get(), stream), "record an event");
}

}  // namespace weir
