// When a process began: with its number what it is known by, as numbers are given anew.
#pragma once

#include <cstdint>
#include <optional>

namespace weir {

// In clock ticks after the machine's start (proc(5), field 22 of /proc/PID/stat), of a process that
// runs. Nothing where there is none of that number, where it has ended and only waits to be asked
// after by its parent (a zombie), or where /proc does not say. Any thread.
std::optional<std::uint64_t> ProcessBegin(int process);

}  // namespace weir
