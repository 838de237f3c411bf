#include "framework/graph/run_state.h"

#include <new>
#include <utility>

#include "framework/error.h"

namespace weir {
namespace {

Error OutOfMemory(const std::string& who) {
  return {ErrorKind::kMemory, who + ": the system has no more memory",
          "Lower memory.host, or free memory on this machine."};
}

// The exception that is being handled, as an Error of the stage that threw it.
Error Named(const std::string& stage) {
  const std::string who = "stage " + stage;
  try {
    throw;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInterrupted) return error;  // from outside, by no stage's fault
    return {error.kind(), who + ": " + error.what(), error.remedy()};
  } catch (const std::bad_alloc&) {
    return OutOfMemory(who);
  } catch (const std::exception& error) {
    return {ErrorKind::kInternal, who + ": " + error.what()};
  } catch (...) {
    return {ErrorKind::kInternal, who + ": threw what is no exception"};
  }
}

}  // namespace

RunState::RunState(const std::atomic<bool>& stopped, OnDrop on_drop, Trace* trace)
    : stopped_(stopped),
      on_drop_(std::move(on_drop)),
      trace_(trace),
      out_of_memory_(std::make_exception_ptr(OutOfMemory("a stage"))) {}

void RunState::BeginPass(const Pass& pass) {
  pass_ = pass;
  if (trace_) {
    trace_->Mark("epoch " + std::to_string(pass.epoch + 1) + " " + std::string(Name(pass.split)));
  }
  error_ = nullptr;
  failed_.store(false, std::memory_order_release);
}

StageContext RunState::Context(std::uint64_t order) const {
  return {pass_, order, [this] { return idle(); }};
}

void RunState::Dropped(const std::string& stage, const Drop& drop) {
  const std::lock_guard lock(mutex_);
  on_drop_(stage, drop);
}

void RunState::RethrowError() {
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void RunState::FailWithCurrent(const PlacedStage& stage) noexcept {
  std::exception_ptr error;
  try {
    error = std::make_exception_ptr(Named(stage.who()));
  } catch (...) {
    error = out_of_memory_;
  }
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = error;
  failed_.store(true, std::memory_order_release);
}

}  // namespace weir
