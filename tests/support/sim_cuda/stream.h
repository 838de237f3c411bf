// Streams and events: a stream is a thread that works off a queue, an event a point in a queue.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace weir::sim {

// Any thread may call any member.
class Stream {
 public:
  Stream();
  ~Stream();  // once all that was queued has been done

  void Queue(std::function<void()> work);  // runs behind what was queued before it
  void Wait();                             // until the queue is empty
  bool IsIdle();

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool is_working_ = false;
  bool has_ended_ = false;
  std::thread thread_;  // last: it uses the others
};

// Any thread may call any member. Before it is recorded an event counts as having happened. Who
// waits for it waits for what was recorded last when the wait began, as CUDA says.
class Event {
 public:
  void Record(Stream& stream);
  void HoldBack(Stream& stream);  // what is queued there from now on waits for the event
  void Wait();
  bool HasHappened();

 private:
  struct Point;
  std::shared_ptr<Point> last();

  std::mutex mutex_;
  std::shared_ptr<Point> last_;
};

}  // namespace weir::sim
