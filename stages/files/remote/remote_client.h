// Fetches parts of files from servers, several at once, in a thread of its own that sleeps while
// nothing arrives. Connections are kept and used again.
//
// A try that fails in a way that may pass is made again: after `first_wait_s`, then twice as long
// each time, at most 30 s, or what the server wants where that is longer (Retry-After, at most
// 60 s). It goes on where the last one stopped; the tries are counted anew where one brought a
// quarter of what was missing.
//
// All members are for any thread. Memory: the parts that are asked for, and `bytes()`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "stages/files/remote/remote_range.h"

namespace weir {

struct RemoteSettings {
  int connections = 32;       // at once
  double stall_s = 30;        // a try that brings less than 1 kB/s for so long is given up
  int tries = 6;              // that a part gets
  double first_wait_s = 0.5;  // before the second of them
};

class RemoteClient {
 public:
  // `is_interrupted` is asked ten times a second by whoever waits. Throws Error(kMemory) where the
  // thread cannot be made.
  RemoteClient(const RemoteSettings& settings, std::function<bool()> is_interrupted);
  RemoteClient(const RemoteClient&) = delete;
  RemoteClient& operator=(const RemoteClient&) = delete;
  ~RemoteClient();  // ends all that is on its way, at once

  // Asks for `count` bytes, one at least. `stamp` is null at the first question. `charge` ends when
  // their memory does. Throws std::bad_alloc.
  std::shared_ptr<RemoteRange> Start(std::shared_ptr<const RemoteAddress> address,
                                     std::uint64_t begin, std::size_t count,
                                     std::shared_ptr<const RemoteStamp> stamp,
                                     std::shared_ptr<void> charge = {});

  // It is of no use any more; its memory ends soon.
  void Cancel(RemoteRange& range);

  // Waits until it is settled. Throws Error(kInterrupted) where the run is to end meanwhile, and
  // what RemoteRange::ThrowIfFailed() throws.
  void Await(const RemoteRange& range);

  // Called by the client's thread when a part is settled or was cancelled, and ten times a second
  // while any is on its way; with none on its way it is not called. Returns when the last one is
  // not being called any more.
  void set_on_news(std::function<void()> on_news);

  // How many bytes of files have come so far.
  std::uint64_t fetched_bytes() const { return fetched_bytes_.load(std::memory_order_relaxed); }

  // What all connections hold, in bytes.
  static std::size_t bytes(const RemoteSettings& settings);

 private:
  struct Underway;  // a try
  struct Loop;

  void Run();
  void Settle(RemoteRange& range, std::optional<RemoteRange::Failure> failure);
  void TellNews();

  const RemoteSettings settings_;
  const std::function<bool()> is_interrupted_;
  void* const multi_;  // libcurl's CURLM
  std::mutex mutex_;
  std::condition_variable settled_;
  std::deque<std::shared_ptr<RemoteRange>> inbox_;
  bool is_ending_ = false;
  std::atomic<std::uint64_t> fetched_bytes_{0};
  std::mutex news_mutex_;
  std::function<void()> on_news_;
  std::thread thread_;
};

}  // namespace weir
