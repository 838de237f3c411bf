// The ceiling of what this process holds on one device, whoever holds it there:
//
//   limit = outside + LibTorch's + ours + room
//
// outside: the context, the libraries' workspaces and the kernels that are loaded, which nobody
// can lease and which are therefore measured; LibTorch's: what its caching allocator has reserved,
// which it is told the most of; ours: leases; room: kKernelRoom, for kernels that are loaded
// between two measurements, as CUDA does at the first use of each.
//
// Any thread may call any member. No memory to speak of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "framework/memory/memory_budget.h"

namespace weir {

// What can be measured on a device, and set; CUDA's is CudaMeter.
class DeviceMeter {
 public:
  virtual ~DeviceMeter() = default;

  struct Held {
    std::size_t bytes = 0;
    bool may_be_others = false;  // what others took since the beginning would be in it
  };

  // All that this process holds there, of which `known_bytes` are accounted for: no figure that
  // leaves out CUDA's own beside them.
  virtual Held process_bytes(std::size_t known_bytes) = 0;
  virtual std::size_t torch_bytes() = 0;       // LibTorch's caching allocator's part of it
  virtual std::size_t torch_peak_bytes() = 0;  // since the beginning, or since it was forgotten
  virtual void ForgetTorchPeak() = 0;

  // The most that LibTorch's allocator may reserve from now on; more is its OutOfMemoryError.
  virtual void AllowTorch(std::size_t bytes) = 0;
};

class DeviceLedger {
 public:
  static constexpr std::size_t kKernelRoom = std::size_t{64} << 20;
  static constexpr std::size_t kGrain = std::size_t{2} << 20;  // what cudaMalloc rounds up to
  static constexpr std::size_t kLeastContext = std::size_t{64} << 20;  // any context takes more

  // Without SetLimit the limit is `total_bytes`. `meter` outlives this.
  DeviceLedger(DeviceMeter& meter, std::size_t total_bytes);

  // As SetLimit throws, for what can be said before there is a context, which then stays.
  static void CheckLimit(std::size_t bytes);

  // Measures, and leaves the rest to LibTorch and to Take. Throws Error(kMemory) where the limit is
  // passed before anything is made.
  void SetLimit(std::size_t bytes);

  // For memory that we allocate ourselves, rounded up to the grain; less is left to LibTorch.
  // Throws Error(kMemory) where it does not fit; `holder` is named: "prefetch: 2 slots".
  Lease Take(MemoryTag tag, std::size_t bytes, const std::string& holder);

  // Measures again what is outside. False where the limit is passed or the room is used up; what
  // LibTorch may reserve is set in either case.
  bool Settle();

  // For a job that has begun. The first, second, fourth, eighth... call of SettleInTurn in a pass
  // measures, and so does SettleAtEnd: they throw Error(kMemory) where the limit is passed.
  // Where the driver does not tell this process' memory from others', nothing is measured any more:
  // what others take ends no job.
  void BeginPass();
  void SettleInTurn();
  void SettleAtEnd();

  // What stands in the way: throws Error(kMemory) with "used of limit".
  [[noreturn]] void Refuse(const std::string& what);

  // kReserve: outside, as it was measured last; kBatch, kModel...: ours; kActivation: LibTorch's
  // besides.
  MemoryUsage usage();

 private:
  std::size_t Measure();  // gives what is used in all
  std::size_t Note(std::size_t process_bytes);
  void MeasureOwn();  // throws where that passes the limit, and nothing of others' may be in it
  void LeaveToTorch();
  std::size_t KnownBytes();  // LibTorch's and ours

  DeviceMeter& meter_;
  std::mutex mutex_;
  std::size_t limit_bytes_;
  std::size_t outside_bytes_ = 0;
  std::size_t most_bytes_ = 0;  // the most that was in use until it was measured last
  std::uint64_t turns_ = 0;     // calls of SettleInTurn in this pass
  MemoryBudget own_;
};

}  // namespace weir
