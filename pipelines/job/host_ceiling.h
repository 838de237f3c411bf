// What the section `memory:` and the machine together allow a job: its ceiling and its workers, as
// numbers. What is `auto` is this process' part of what there is (Config::processes).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/config/config.h"
#include "framework/memory/host_memory.h"

namespace weir {

// `memory.host` as a number: less than is configured where the container, or a limit of the
// process, allows less. Then `reason` says so.
struct HostCeiling {
  std::size_t bytes = 0;
  std::string reason;
};
HostCeiling HostCeilingOf(const Config& config, const std::vector<MemoryLimit>& limits);

// `threads` as a number.
int Workers(const Config& config);

// What a plan reserves for the process itself: what it holds now, and what it comes to hold beside
// the leases as so many threads work. Throws Error(kMemory) where nobody says what it holds.
std::size_t ProcessReserve(std::size_t threads);

}  // namespace weir
