#include "pipelines/serve/connection_threads.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace weir {

ConnectionThreads::ConnectionThreads(int most, ConnectionCounts& counts,
                                     std::function<void(const Task&)> refuse,
                                     std::function<void()> on_tick)
    : most_(static_cast<std::size_t>(most)),
      counts_(counts),
      refuse_(std::move(refuse)),
      on_tick_(std::move(on_tick)) {}

void ConnectionThreads::Put(Task task) {
  on_tick_();
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.size() >= idle_ && threads_.size() < most_) {
      try {
        threads_.emplace_back([this] { Work(); });
        ++idle_;
      } catch (const std::system_error&) {
        // The system gives no more of them: those that there are do it.
      }
    }
    if (!threads_.empty() && tasks_.size() < idle_ + most_) {
      tasks_.push_back(std::move(task));
      counts_.waiting = static_cast<int>(tasks_.size() - std::min(tasks_.size(), idle_));
      task = nullptr;
    }
  }
  if (task) {
    refuse_(task);
  } else {
    changed_.notify_one();
  }
}

void ConnectionThreads::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_shut_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    --idle_;
    counts_.waiting = static_cast<int>(tasks_.size() - std::min(tasks_.size(), idle_));
    lock.unlock();
    ++counts_.open;
    task();
    --counts_.open;
    lock.lock();
    ++idle_;
  }
}

void ConnectionThreads::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    is_shut_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace weir
