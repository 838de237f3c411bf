// The time of a stage's work: added to its figures, and a span of the trace where there is one.
//
// A Stopwatch is for one call, in the thread that makes it. What ParallelFor hands to other threads
// meanwhile is of the same work: it takes a Stopwatch::Part there.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "framework/flow/stage_stats.h"
#include "framework/flow/trace.h"

namespace weir {

class Stopwatch {
 public:
  // `trace` may be null; all of it outlives this.
  Stopwatch(StageStats& stats, std::string_view stage, Trace* trace, std::uint64_t order)
      : stats_(stats), stage_(stage), trace_(trace), order_(order), outer_(in_thread) {
    in_thread = this;
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    in_thread = outer_;
    if (!counts_) return;
    stats_.AddItem(dropped_);
    Spend(begin_);
  }

  std::string_view stage() const { return stage_; }
  void set_dropped() { dropped_ = true; }
  void Discard() { counts_ = false; }

  // That of the innermost work that this thread is in; null where there is none.
  static const Stopwatch* InThread() { return in_thread; }

  // A part of the work of `whole` (null: of none) that this thread does, beside the one that has
  // it.
  class Part {
   public:
    explicit Part(const Stopwatch* whole) : whole_(whole), outer_(in_thread) { in_thread = whole; }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() {
      in_thread = outer_;
      if (whole_) whole_->Spend(begin_);
    }

   private:
    const Stopwatch* const whole_;
    const Stopwatch* const outer_;
    const Trace::Clock::time_point begin_ = Trace::Clock::now();
  };

 private:
  void Spend(Trace::Clock::time_point begin) const {
    const Trace::Clock::time_point end = Trace::Clock::now();
    stats_.AddBusy(end - begin);
    if (trace_) trace_->Span(stage_, begin, end, order_);
  }

  static inline thread_local const Stopwatch* in_thread = nullptr;

  StageStats& stats_;
  const std::string_view stage_;
  Trace* const trace_;
  const std::uint64_t order_;
  const Stopwatch* const outer_;
  const Trace::Clock::time_point begin_ = Trace::Clock::now();
  bool dropped_ = false;
  bool counts_ = true;
};

}  // namespace weir
