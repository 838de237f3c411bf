// A command of weir's in a cgroup of its ceiling and the code, which the kernel enforces, and under
// the eyes of a thread that reads what it holds.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tests/memory/held_peak.h"
#include "tests/support/hard_cgroup.h"
#include "tests/support/weir_process.h"

namespace weir {

inline constexpr std::size_t kCodeBytes = std::size_t{20} << 20;  // mapped files, kernel memory

// One that runs, with `memory.host` set to the ceiling; several may at a time, each in a cgroup of
// its own. `environment` as ProcessSetup has it.
class ProcessWithinCeiling {
 public:
  ProcessWithinCeiling(std::vector<std::string> arguments, std::size_t ceiling_bytes,
                       std::vector<std::string> environment = {});

  WeirProcess& process() { return process_; }
  // Expects that the kernel kills nothing and that no more than the ceiling is held, and prints
  // both.
  ProcessOutcome Wait();
  std::size_t held_bytes() const { return held_.bytes(); }  // the most so far

 private:
  const std::string command_;
  const std::size_t ceiling_bytes_;
  const HardCgroup cgroup_;
  WeirProcess process_;
  const HeldPeak held_;
};

// Runs one to its end. `meanwhile` is called once the process runs.
ProcessOutcome WithinCeiling(std::vector<std::string> arguments, std::size_t ceiling_bytes,
                             const std::function<void(WeirProcess&)>& meanwhile = {});

// The smallest ceilings that `weir plan` says are enough, in whole MiB and one MiB more, as what a
// process holds when it plans is not the same to the page. 0 where the plan fails.
struct SmallestCeilings {
  std::size_t run = 0;
  std::size_t prediction = 0;  // with the model of that run
};
SmallestCeilings SmallestCeilingsOf(const std::string& job);

}  // namespace weir
