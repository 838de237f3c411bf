// What a person sees while a pass runs: on a terminal one line that is drawn anew, in a log nothing
// until the pass is over.
//
//   {
//     Progress progress({.title = "epoch 1/10", ...}, read);
//     pipeline.Run(pass);
//   }   // the line is wiped; the caller prints the outcome
//
// It has a thread of its own, which also notes the most memory that the process held.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace weir {

struct ProgressState {
  std::uint64_t done = 0;   // images
  std::uint64_t total = 0;  // 0 where it is not known
  std::string metrics{};    // "loss 0.1234  accuracy 0.987"; empty where there are none
  bool is_kept = false;     // not one picture is read, as all that is needed of them was kept
};

struct ProgressOptions {
  std::string title;
  std::size_t limit_bytes = 0;     // the memory ceiling that is drawn
  std::uint64_t images_after = 0;  // images in the passes that follow, for the time that is left
  bool is_terminal = false;
};

// Draws what is known at one moment in `columns`; a line without its end.
std::string DrawProgress(const ProgressOptions& options, const ProgressState& state, double seconds,
                         std::size_t held_bytes, int columns);

class Progress {
 public:
  // `read` is called from its thread; `on_tick`, too, some ten times a second.
  Progress(
      ProgressOptions options, std::function<ProgressState()> read,
      std::function<void()> on_tick = [] {});
  ~Progress();

  // The most memory that was held while any Progress was there and now, in bytes.
  static std::size_t peak_held_bytes();

 private:
  void Watch();

  const ProgressOptions options_;
  const std::function<ProgressState()> read_;
  const std::function<void()> on_tick_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;
  std::thread thread_;
};

// "512 images/s", or "kept" where no picture was read for them.
std::string RateText(std::uint64_t images, double seconds, bool is_kept);

// "0:07", "12:40", "3:05:00".
std::string DurationText(double seconds);

// Whether standard output is a terminal that can draw.
bool IsTerminal();

}  // namespace weir
