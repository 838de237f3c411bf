// The one thread that gives work to a device.
//
// LibTorch makes a cuBLAS handle for every thread that calls it, with memory on the device that is
// never given back; the ceiling would depend on how many workers there are. This thread computes
// nothing: it queues kernels, and sleeps.
//
// Any number of threads may Run.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace weir {

class IssuingThread {
 public:
  IssuingThread();
  ~IssuingThread();  // not beside a Run

  // Runs `work` there and returns when it has; what it throws is thrown here.
  void Run(std::function<void()> work);

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> waiting_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace weir
