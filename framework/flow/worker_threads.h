// The threads that a pipeline works with, all of them made before anything depends on them.
//
// TBB makes a worker when there is first something for it to do, and has no way back where it
// cannot: it throws from wherever that was, also in a thread where nobody can catch it, and then
// waits for ever for the worker that is not there. So it is tried whether the system gives that
// many threads, and then TBB is given enough to do to make all of its own. Afterwards it makes no
// more.
//
// One thread. Takes the stacks of the workers, of which little is touched.
#pragma once

#include <memory>

namespace weir {

class WorkerThreads {
 public:
  // `workers` threads, the calling one among them, more than there are cores too. Throws
  // Error(kMemory) where they cannot be made.
  explicit WorkerThreads(int workers);
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;
  // Returns when the last of them has ended, so that none is on its way out while the libraries
  // that it used are taken apart.
  ~WorkerThreads();

 private:
  struct Scheduler;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace weir
