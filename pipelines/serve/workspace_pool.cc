#include "pipelines/serve/workspace_pool.h"

#include <utility>

namespace weir {

WorkspacePool::Turn WorkspacePool::Wait() {
  std::unique_lock lock(mutex_);
  if (free_.empty()) {
    Waiting mine;
    waiting_.push_back(&mine);
    mine.is_served.wait(lock, [&] { return mine.workspace != nullptr; });
    return {*this, std::move(mine.workspace)};
  }
  std::unique_ptr<Workspace> workspace = std::move(free_.back());
  free_.pop_back();
  return {*this, std::move(workspace)};
}

void WorkspacePool::GiveBack(std::unique_ptr<Workspace> workspace) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    free_.push_back(std::move(workspace));
    return;
  }
  Waiting& first = *waiting_.front();
  waiting_.pop_front();
  first.workspace = std::move(workspace);
  first.is_served.notify_one();
}

std::size_t WorkspacePool::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace weir
