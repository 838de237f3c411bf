// What happened when, in a file that ui.perfetto.dev and chrome://tracing draw: the work of stages
// as spans, a row for each thread, and memory as counters.
//
// The array form of the Trace Event Format, written as it goes: a file that ends early, as of a run
// that was killed, is drawn as far as it goes. Any thread may call any member; each takes a lock
// for about a microsecond. Holds a buffer of 64 KiB. Where the disk is full nothing more is
// written, and problem() says so: a trace is no reason to end a run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace weir {

class Trace {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws Error(kData) where the file cannot be made.
  explicit Trace(std::filesystem::path path);
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  ~Trace();

  // Work of the calling thread on the item of that order.
  void Span(std::string_view name, Clock::time_point begin, Clock::time_point end,
            std::uint64_t item);

  // Figures of now, drawn one upon the other.
  void Counter(std::string_view name,
               const std::vector<std::pair<std::string, std::size_t>>& figures);

  // A moment that matters to all threads: a pass begins.
  void Mark(std::string_view text);

  std::string problem() const;  // empty where all could be written

 private:
  void Write(const std::string& event);  // with the lock held
  int ThreadNumber();                    // of the caller, with the lock held; names it when new

  const std::filesystem::path path_;
  const Clock::time_point begin_ = Clock::now();
  mutable std::mutex mutex_;
  std::unique_ptr<char[]> buffer_;
  std::FILE* file_ = nullptr;
  std::map<std::thread::id, int> threads_;
  std::string problem_;
};

}  // namespace weir
