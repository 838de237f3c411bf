#include "tests/support/sim_cuda/stream.h"

#include <atomic>
#include <chrono>
#include <random>
#include <utility>

#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir::sim {
namespace {

constexpr int kDelayedOneIn = 8;
constexpr unsigned kLongestDelay = 1000;  // microseconds

std::atomic<unsigned> delays_seed{0};
std::atomic<unsigned> streams_begun{0};

// A stream's own chances.
class Delays {
 public:
  void Wait() {
    const unsigned seed = delays_seed;
    if (seed == 0) return;
    if (seed != seed_) random_.seed(1000 * stream_ + seed);
    seed_ = seed;
    if (random_() % kDelayedOneIn != 0) return;
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % kLongestDelay));
  }

 private:
  const unsigned stream_ = streams_begun++;
  unsigned seed_ = 0;  // that the chances are of
  std::mt19937 random_;
};

}  // namespace

void SetDelays(unsigned seed) { delays_seed = seed; }

Stream::Stream() : thread_([this] { Loop(); }) {}

Stream::~Stream() {
  {
    std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Stream::Queue(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void Stream::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.empty() && !is_working_; });
}

bool Stream::IsIdle() {
  std::lock_guard lock(mutex_);
  return queue_.empty() && !is_working_;
}

void Stream::Loop() {
  Delays delays;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return has_ended_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      is_working_ = true;
      lock.unlock();
      delays.Wait();
      work();
    }
    lock.lock();
    is_working_ = false;
    changed_.notify_all();
  }
}

struct Event::Point {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_past = false;

  void Pass() {
    {
      std::lock_guard lock(mutex);
      is_past = true;
    }
    changed.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return is_past; });
  }
};

std::shared_ptr<Event::Point> Event::last() {
  std::lock_guard lock(mutex_);
  return last_;
}

void Event::Record(Stream& stream) {
  auto point = std::make_shared<Point>();
  {
    std::lock_guard lock(mutex_);
    last_ = point;
  }
  stream.Queue([point] { point->Pass(); });
}

void Event::HoldBack(Stream& stream) {
  if (const auto point = last()) stream.Queue([point] { point->Wait(); });
}

void Event::Wait() {
  if (const auto point = last()) point->Wait();
}

bool Event::HasHappened() {
  const auto point = last();
  if (!point) return true;
  std::lock_guard lock(point->mutex);
  return point->is_past;
}

}  // namespace weir::sim
