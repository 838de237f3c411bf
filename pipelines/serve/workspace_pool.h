// The workspaces of a classifier, each for one picture at a time, given to those who wait for one
// in the order in which they came. All members may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "stages/model/frozen_prefix.h"

namespace weir {

class WorkspacePool {
 public:
  using Workspace = FrozenPrefix::Workspace;

  explicit WorkspacePool(std::vector<std::unique_ptr<Workspace>> workspaces)
      : free_(std::move(workspaces)) {}

  // A workspace, as long as it is held; it goes back when this ends.
  class Turn {
   public:
    Turn(WorkspacePool& pool, std::unique_ptr<Workspace> workspace)
        : pool_(pool), workspace_(std::move(workspace)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { pool_.GiveBack(std::move(workspace_)); }

    Workspace& workspace() const { return *workspace_; }

   private:
    WorkspacePool& pool_;
    std::unique_ptr<Workspace> workspace_;
  };

  // Waits until it is this one's turn.
  Turn Wait();

  // How many wait.
  std::size_t waiting() const;

 private:
  struct Waiting {
    std::condition_variable is_served;
    std::unique_ptr<Workspace> workspace;
  };
  void GiveBack(std::unique_ptr<Workspace> workspace);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
  std::deque<Waiting*> waiting_;
};

}  // namespace weir
