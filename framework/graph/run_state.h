// What the nodes of a graph share while a pass runs: whether to go on, and why not.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>

#include "framework/flow/any_stage.h"
#include "framework/flow/stage.h"
#include "framework/flow/stage_stats.h"
#include "framework/flow/stopwatch.h"
#include "framework/flow/trace.h"

namespace weir {

// BeginPass and RethrowError are called while nothing else is; the others by any thread.
class RunState {
 public:
  using OnDrop = std::function<void(const std::string& stage, const Drop&)>;

  // `stopped` and `trace`, which may be null, outlive this; `on_drop` is called by one thread at a
  // time.
  RunState(const std::atomic<bool>& stopped, OnDrop on_drop, Trace* trace);

  void BeginPass(const Pass& pass);
  const Pass& pass() const { return pass_; }

  Trace* trace() const { return trace_; }

  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  bool idle() const { return stopped() || failed_.load(std::memory_order_acquire); }

  StageContext Context(std::uint64_t order) const;
  void Dropped(const std::string& stage, const Drop& drop);

  // Runs the work of a stage; the first exception ends the run, under its stage's name.
  template <class Work>
  void Guard(const PlacedStage& stage, Work&& work) {
    try {
      work();
    } catch (...) {
      FailWithCurrent(stage);
    }
  }
  void RethrowError();

 private:
  void FailWithCurrent(const PlacedStage& stage) noexcept;

  const std::atomic<bool>& stopped_;
  const OnDrop on_drop_;
  Trace* const trace_;
  Pass pass_;
  std::mutex mutex_;
  std::exception_ptr error_;
  const std::exception_ptr out_of_memory_;  // made while there is some
  std::atomic<bool> failed_{false};
};

// What every node needs of its stage.
struct NodePlace {
  PlacedStage& placed;
  StageStats& stats;
  RunState& state;
  AnyStage& stage() const { return *placed.any; }
  Stopwatch Time(std::uint64_t order) const { return {stats, placed.name, state.trace(), order}; }
};

}  // namespace weir
