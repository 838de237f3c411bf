// LibTorch's memory on the host inside the ledger: once installed, every tensor of the process (and
// the buffers of the oneDNN inside LibTorch) comes from one arena that reuses memory and keeps to
// what was granted.
//
//   TorchGrant grant = TorchAllocator::Install().Grant(std::move(leases), "train");
//   at::Tensor map = at::empty({2, 112, 112, 96});   // throws Error(kMemory) where it is too much
//
// Any thread may allocate; Install() may be called from any thread, at best before LibTorch is
// used. See best_fit_arena.h for what is held beside what is used.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/memory/memory_budget.h"
#include "stages/train/torch/best_fit_arena.h"

namespace weir {

// The right of LibTorch to hold some bytes. Move-only; ends when it dies.
class [[nodiscard]] TorchGrant {
 public:
  TorchGrant() = default;
  TorchGrant(TorchGrant&& other) noexcept;
  TorchGrant& operator=(TorchGrant&& other) noexcept;
  ~TorchGrant();

 private:
  friend class TorchAllocator;
  explicit TorchGrant(std::vector<Lease> leases) : leases_(std::move(leases)) {}

  std::vector<Lease> leases_;
};

class TorchAllocator {
 public:
  // The one of this process; makes it LibTorch's at the first call.
  static TorchAllocator& Install();

  // LibTorch may hold the sum of what is granted. Before the first grant, and after the last has
  // ended, it is only counted. `holder` is named where memory is refused.
  TorchGrant Grant(std::vector<Lease> leases, const std::string& holder);

  ArenaUsage usage() const;
  void ResetPeak();
  void Trim();  // gives what is free back to the system

 private:
  friend class TorchGrant;
  TorchAllocator() = default;
};

// Keeps LibTorch to the calling thread, here and in every thread that calls this: it starts no
// threads of its own. Cheap; called at the beginning of each task that uses LibTorch.
void UseOneTorchThread();

}  // namespace weir
