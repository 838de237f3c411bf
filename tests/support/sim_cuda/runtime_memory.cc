// The runtime's functions about memory. A copy takes 10 microseconds and a second for 12 GB: about
// what PCIe 3 does, so that what does not wait for one is found out.
#include <cuda_runtime_api.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/sim_cuda/call.h"
#include "tests/support/sim_cuda/card.h"

namespace sim = weir::sim;

namespace {

constexpr auto kLatency = std::chrono::microseconds(10);
constexpr double kBytesPerNanosecond = 12;
constexpr std::size_t kPage = 4096;

std::atomic<int> pageable_uploads{0};

sim::Card& Current() { return sim::CardOf(sim::CurrentCard()); }

sim::Stream& StreamOf(cudaStream_t stream) {
  return stream != nullptr ? *reinterpret_cast<sim::Stream*>(stream) : Current().null_stream();
}

// Shut as long as there are HeldCopies.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_shut = false;

  void Set(bool shut) {
    {
      const std::lock_guard lock(mutex);
      is_shut = shut;
    }
    changed.notify_all();
  }
  void Pass() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !is_shut; });
  }
};
Gate& CopyGate() {
  static auto* const gate = new Gate;
  return *gate;
}

void Move(void* to, const void* from, std::size_t bytes) {
  CopyGate().Pass();
  std::this_thread::sleep_for(kLatency + std::chrono::nanoseconds(static_cast<std::int64_t>(
                                             static_cast<double>(bytes) / kBytesPerNanosecond)));
  std::memcpy(to, from, bytes);
}

// Where a copy begins and where it ends.
struct Route {
  bool from_card, to_card;

  bool IsOf(cudaMemcpyKind kind) const {
    switch (kind) {
      case cudaMemcpyHostToHost:
        return !from_card && !to_card;
      case cudaMemcpyHostToDevice:
        return !from_card && to_card;
      case cudaMemcpyDeviceToHost:
        return from_card && !to_card;
      case cudaMemcpyDeviceToDevice:
        return from_card && to_card;
      case cudaMemcpyDefault:
        return true;
    }
    return false;
  }
};

// Whether the area is on the host, or all of it in one piece of a card's memory.
bool IsWhole(const void* begin, std::size_t bytes) {
  const sim::Card* card = sim::CardOfMemory(begin);
  return card == nullptr || card->Contains(begin, bytes);
}

// As CUDA's "API synchronization behavior" has it: pageable memory is read before the call returns,
// and written before it returns; pinned memory is read and written when the stream comes to it.
void Queue(void* to, const void* from, std::size_t bytes, Route route, sim::Stream& stream) {
  if (route.to_card && !route.from_card && !sim::IsPinned(from, bytes)) {
    ++pageable_uploads;
    const auto* first = static_cast<const char*>(from);
    auto staged = std::make_shared<const std::vector<char>>(first, first + bytes);
    stream.Queue([=] { Move(to, staged->data(), bytes); });
    return;
  }
  stream.Queue([=] { Move(to, from, bytes); });
  if (!route.to_card && !sim::IsPinned(to, bytes)) stream.Wait();
}

cudaError_t Copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                 cudaStream_t stream) {
  Current().MakeContext();
  if (bytes == 0) return cudaSuccess;
  const Route route{sim::CardOfMemory(from) != nullptr, sim::CardOfMemory(to) != nullptr};
  if (!route.IsOf(kind)) return cudaErrorInvalidMemcpyDirection;
  if (!IsWhole(from, bytes) || !IsWhole(to, bytes)) return cudaErrorInvalidValue;
  Queue(to, from, bytes, route, StreamOf(stream));
  return cudaSuccess;
}

}  // namespace

namespace weir::sim {

int PageableUploads() { return pageable_uploads; }

HeldCopies::HeldCopies() { CopyGate().Set(true); }
HeldCopies::~HeldCopies() { CopyGate().Set(false); }

}  // namespace weir::sim

extern "C" {

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  Current().MakeContext();
  *free_bytes = Current().free_bytes();
  *total_bytes = sim::kCardBytes;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  Current().MakeContext();
  *memory = Current().Allocate(bytes);
  return *memory != nullptr ? cudaSuccess : sim::End(cudaErrorMemoryAllocation);
}

// Waits for all that the card does.
cudaError_t cudaFree(void* memory) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  if (memory == nullptr) return cudaSuccess;
  sim::Card* card = sim::CardOfMemory(memory);
  if (card == nullptr) return sim::End(cudaErrorInvalidValue);
  card->WaitForStreams();
  return card->Free(memory) ? cudaSuccess : sim::End(cudaErrorInvalidValue);
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  Current().MakeContext();
  *memory = std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage);
  if (*memory == nullptr) return sim::End(cudaErrorMemoryAllocation);
  sim::AddPinned(*memory, bytes);
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  if (memory == nullptr) return cudaSuccess;
  for (int i = 0; i < sim::kCards; ++i) sim::CardOf(i).WaitForStreams();
  if (!sim::RemovePinned(memory)) return sim::End(cudaErrorInvalidValue);
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  return sim::End(Copy(to, from, bytes, kind, stream));
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  if (const cudaError_t error = Copy(to, from, bytes, kind, nullptr)) return sim::End(error);
  StreamOf(nullptr).Wait();
  return cudaSuccess;
}

cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, std::size_t bytes,
                                cudaStream_t stream) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  return sim::End(Copy(to, from, bytes, cudaMemcpyDeviceToDevice, stream));
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  if (bytes == 0) return cudaSuccess;
  const sim::Card* card = sim::CardOfMemory(memory);
  if (card == nullptr || !card->Contains(memory, bytes)) return sim::End(cudaErrorInvalidValue);
  StreamOf(stream).Queue([=] { std::memset(memory, value, bytes); });
  return cudaSuccess;
}
}
