// The threads that read and classify pictures, each with a workspace of its own: what a library
// keeps for each thread is held once for each of these, and not for every connection. Work is done
// in the order in which it came. Any thread may ask.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "stages/model/frozen_prefix.h"

namespace weir {

class ClassifyingThreads {
 public:
  using Workspace = FrozenPrefix::Workspace;
  using Work = std::function<void(Workspace&)>;

  // One thread for each.
  explicit ClassifyingThreads(std::vector<std::unique_ptr<Workspace>> workspaces);
  ~ClassifyingThreads();  // nobody is waiting then

  // Returns when all of `work` is done, and throws what the first of it threw that did. There is a
  // place in line for each.
  void Run(std::span<const Work> work);

  std::size_t count() const { return threads_.size(); }
  // How much work waits.
  std::size_t waiting() const;

 private:
  struct Asked;
  struct Task {
    Asked* asked;
    const Work* work;
  };
  void RunTasks(Workspace& workspace);

  const std::vector<std::unique_ptr<Workspace>> workspaces_;
  mutable std::mutex mutex_;
  std::condition_variable has_task_, is_done_;
  std::deque<Task> tasks_;
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace weir
