// The threads of the server, one for each connection that is open: they are started as connections
// come, up to a number, and wait in sockets most of their time. Connections beyond that wait for
// one of them, as many again; what comes then is refused at once.
//
// cpp-httplib's own pool has as many threads as there are processors and a queue without an end.
#pragma once

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace weir {

// What the server and its threads tell each other.
struct ConnectionCounts {
  std::atomic<int> open{0};     // connections that have a thread
  std::atomic<int> waiting{0};  // connections that have none
  std::atomic<bool> is_ending{false};

  bool IsPressed() const { return is_ending || waiting > 0; }
};

class ConnectionThreads final : public httplib::TaskQueue {
  using Task = std::function<void()>;
  // void or bool, as the library's version has it.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(Task()));

 public:
  // `refuse` is called in place of a connection's task, with the task, where there is no room for
  // it; `on_tick` several times a second, both in the thread that accepts connections.
  ConnectionThreads(int most, ConnectionCounts& counts, std::function<void(const Task&)> refuse,
                    std::function<void()> on_tick);

  Enqueued enqueue(Task task) override {
    Put(std::move(task));
    return Enqueued(true);
  }
  // Returns when every connection has ended.
  void shutdown() override;
  void on_idle() override { on_tick_(); }

 private:
  void Put(Task task);
  void Work();

  const std::size_t most_;
  ConnectionCounts& counts_;
  const std::function<void(const Task&)> refuse_;
  const std::function<void()> on_tick_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::size_t idle_ = 0;
  bool is_shut_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace weir
