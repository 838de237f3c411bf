// When a process began, by which it is told from an earlier one that had the same number.
#pragma once

#include <cstdint>
#include <optional>

namespace weir {

// The time in clock ticks after the machine's start (proc(5), field 22 of /proc/PID/stat). Nothing
// where no process of that number runs, a zombie included, or where /proc does not say. Any thread.
std::optional<std::uint64_t> ProcessBegin(int process);

}  // namespace weir
