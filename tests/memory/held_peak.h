// The most memory that a process holds while it is looked at: RssAnon + RssShmem, what the ceiling
// is about. The kernel keeps no record of it, so a thread reads it every two milliseconds until
// this ends: what is held for less may be missed, what is seen was held.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace weir {

class HeldPeak {
 public:
  explicit HeldPeak(int process);
  HeldPeak(const HeldPeak&) = delete;
  HeldPeak& operator=(const HeldPeak&) = delete;
  ~HeldPeak();

  std::size_t bytes() const { return bytes_; }

 private:
  std::atomic<std::size_t> bytes_{0};
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace weir
