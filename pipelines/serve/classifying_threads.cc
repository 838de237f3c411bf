#include "pipelines/serve/classifying_threads.h"

#include <exception>
#include <utility>

namespace weir {

// What one caller waits for.
struct ClassifyingThreads::Asked {
  std::size_t left;
  std::exception_ptr thrown{};
};

ClassifyingThreads::ClassifyingThreads(std::vector<std::unique_ptr<Workspace>> workspaces)
    : workspaces_(std::move(workspaces)) {
  for (const std::unique_ptr<Workspace>& each : workspaces_) {
    threads_.emplace_back([this, &each] { RunTasks(*each); });
  }
}

ClassifyingThreads::~ClassifyingThreads() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  has_task_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ClassifyingThreads::Run(std::span<const Work> work) {
  Asked asked{.left = work.size()};
  std::unique_lock lock(mutex_);
  for (const Work& each : work) tasks_.push_back({&asked, &each});
  has_task_.notify_all();
  is_done_.wait(lock, [&] { return asked.left == 0; });
  if (asked.thrown) std::rethrow_exception(asked.thrown);
}

void ClassifyingThreads::RunTasks(Workspace& workspace) {
  std::unique_lock lock(mutex_);
  while (true) {
    has_task_.wait(lock, [this] { return is_ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Task task = tasks_.front();
    tasks_.pop_front();
    lock.unlock();
    std::exception_ptr thrown;
    try {
      (*task.work)(workspace);
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    if (thrown && !task.asked->thrown) task.asked->thrown = thrown;
    if (--task.asked->left == 0) is_done_.notify_all();
  }
}

std::size_t ClassifyingThreads::waiting() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

}  // namespace weir
