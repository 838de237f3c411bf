// A command of weir's in a cgroup of its ceiling and the code, which the kernel enforces, and under
// the eyes of a thread that reads what it holds.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/weir_process.h"

namespace weir {

inline constexpr std::size_t kCodeBytes = std::size_t{20} << 20;  // mapped files, kernel memory

// Runs it with `memory.host` set to the ceiling. Expects that the kernel kills nothing and that no
// more than the ceiling is held, and prints both. `meanwhile` is called once the process runs.
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
