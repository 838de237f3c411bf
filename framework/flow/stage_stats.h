// What a stage did, counted as it goes. Any thread may add and read.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace weir {

struct StageFigures {
  std::uint64_t items = 0;
  std::uint64_t drops = 0;
  double busy_seconds = 0;  // summed over the threads
};

class StageStats {
 public:
  void AddItem(bool dropped) {
    items_.fetch_add(1, std::memory_order_relaxed);
    if (dropped) drops_.fetch_add(1, std::memory_order_relaxed);
  }
  void AddBusy(std::chrono::nanoseconds busy) {
    busy_ns_.fetch_add(static_cast<std::uint64_t>(busy.count()), std::memory_order_relaxed);
  }

  StageFigures figures() const {
    return {items_.load(std::memory_order_relaxed), drops_.load(std::memory_order_relaxed),
            static_cast<double>(busy_ns_.load(std::memory_order_relaxed)) * 1e-9};
  }

 private:
  std::atomic<std::uint64_t> items_{0};
  std::atomic<std::uint64_t> drops_{0};
  std::atomic<std::uint64_t> busy_ns_{0};
};

}  // namespace weir
