// What happened when, in a file that ui.perfetto.dev and chrome://tracing draw: the work of stages
// as spans, a row for each thread, and memory as counters.
//
// The array form of the Trace Event Format, written as it goes: a file that ends early, as of a run
// that was killed, is drawn as far as it goes. Any thread may call any member; each takes a lock
// for about a microsecond. Holds a buffer of 64 KiB. Where the disk is full nothing more is
// written, and Close() says so: a trace is no reason to end a run.
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

  // A figure of now.
  void Counter(std::string_view name, std::size_t bytes);

  // A moment that matters to all threads: a pass begins.
  void Mark(std::string_view text);

  // Ends the file, nothing is written afterwards; the destructor does it too. Says why it ends
  // early where it does; empty where all could be written.
  std::string Close();

 private:
  void Write(const std::string& event);  // with the lock held
  void Check(bool is_written);           // the same
  // Gives the calling thread's number in the trace, from 1 on, and writes the name of a new thread.
  // The caller holds the lock.
  int ThreadNumber();

  const std::filesystem::path path_;
  const Clock::time_point begin_ = Clock::now();
  std::mutex mutex_;
  std::unique_ptr<char[]> buffer_;
  std::FILE* file_ = nullptr;
  std::map<std::thread::id, int> threads_;
  std::string problem_;
};

}  // namespace weir
