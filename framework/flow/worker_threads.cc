#include "framework/flow/worker_threads.h"

// Public from oneTBB 2021.6 on, a preview of another form in the 2021.5 of Ubuntu 22.04.
#define TBB_PREVIEW_WAITING_FOR_WORKERS 1
#include <pthread.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>
#include <tbb/version.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "framework/memory/out_of_memory.h"
#include "framework/thread_error.h"

namespace weir {
namespace {

// TBB gives its workers such stacks by default on machines of 64 bits.
constexpr std::size_t kStackBytes = std::size_t{4} << 20;
constexpr auto kMostWait = std::chrono::seconds(1);

// What trial threads wait for: that all of them are there.
class Gate {
 public:
  Gate() { pthread_mutex_lock(&mutex_); }
  ~Gate() { pthread_mutex_destroy(&mutex_); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void Open() { pthread_mutex_unlock(&mutex_); }
  static void* Pass(void* gate) {
    auto& mutex = static_cast<Gate*>(gate)->mutex_;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return nullptr;
  }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

// Throws Error(kMemory) where `count` threads cannot be there at once.
void TryThreads(int count) {
  std::vector<pthread_t> threads;
  threads.reserve(static_cast<std::size_t>(count));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  Gate gate;
  int error = 0;
  while (static_cast<int>(threads.size()) < count && error == 0) {
    pthread_t thread{};
    error = pthread_create(&thread, &attributes, Gate::Pass, &gate);
    if (error == 0) threads.push_back(thread);
  }
  gate.Open();
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  if (error == 0) return;
  throw ThreadError(
      "worker thread " + std::to_string(threads.size() + 1) + " of " + std::to_string(count),
      error);
}

}  // namespace

struct WorkerThreads::Scheduler {
  static tbb::task_scheduler_handle Attach() {
#if TBB_INTERFACE_VERSION >= 12060
    return tbb::attach{};
#else
    return tbb::task_scheduler_handle::get();
#endif
  }

  // Keeps as many threads at work as there are to be, until all have come. They do at once, and no
  // longer is waited where something else in the process takes its part of them.
  static void MakeWorkers(int workers) noexcept {
    try {
      std::atomic<int> arrived{0};
      const auto end = std::chrono::steady_clock::now() + kMostWait;
      tbb::task_arena arena(workers);
      arena.execute([&] {
        const auto wait = [&](int) {
          ++arrived;
          while (arrived < workers && std::chrono::steady_clock::now() < end) {
            std::this_thread::yield();
          }
        };
        tbb::parallel_for(0, workers, wait, tbb::simple_partitioner());
      });
      // The scheduler would wait for ever in its end, so the process ends before it.
    } catch (const std::bad_alloc&) {
      ExitOutOfMemory();
    } catch (...) {
      ExitWithoutThreads();
    }
  }

  tbb::task_scheduler_handle handle = Attach();
  std::optional<tbb::global_control> control;
};

WorkerThreads::WorkerThreads(int workers) {
  // With one worker, which is the calling thread, TBB still makes one where the graph has something
  // to do while no pass runs.
  TryThreads(std::max(1, workers - 1));
  scheduler_ = std::make_unique<Scheduler>();
  scheduler_->control.emplace(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(workers));
  if (workers > 1) Scheduler::MakeWorkers(workers);
}

// The control goes last: without it TBB has as many threads as this process has cores, and would
// send workers away that still have an arena to leave, for whose end it then waits for ever.
WorkerThreads::~WorkerThreads() {
  // False where the program itself still uses TBB.
  tbb::finalize(scheduler_->handle, std::nothrow);
  scheduler_->control.reset();
}

}  // namespace weir
