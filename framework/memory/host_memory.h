// How much memory this process may have, and how much it holds.
//
// Reads /proc and /sys anew at each call; a few microseconds; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace weir {

// One thing that bounds the process.
struct MemoryLimit {
  std::string name;  // "cgroup v2 memory.max", "available memory"
  std::string file;  // the file that says so
  std::size_t bytes = 0;
  bool is_hard = false;  // who passes it is killed, or gets no more: a cgroup's, an RLIMIT
};

// Every bound that is known here, the tightest first: the cgroups that the process is in (v1 and
// v2, those above them too), the process's own limits (RLIMIT_AS and RLIMIT_DATA: what it holds and
// what they leave), MemAvailable, and the machine's memory. Never empty: throws Error(kMemory)
// where not even the machine's is known. `root` stands before /proc and /sys. A limit on addresses
// also has to hold the stacks of `threads` that are still to be made, and what libraries map by
// then: both are taken off it, unless `threads` is 0.
std::vector<MemoryLimit> HostMemoryLimits(const std::filesystem::path& root = "/", int threads = 0);

// What a process may plan to hold under such a bound: a tenth less, or 12 MiB, for what is charged
// to it and not its own (code, page cache, kernel memory), in whole MiB.
std::size_t UsableBytes(const MemoryLimit& limit);

// What `memory.host: auto` stands for: what is usable of the tightest of those bounds.
std::size_t AutomaticHostLimit(const std::vector<MemoryLimit>& limits);

// How near a container is to its limit.
struct ContainerMemory {
  std::string file;             // the file that says the limit
  std::size_t limit_bytes = 0;  // now: it may be changed while the process runs
  std::size_t held_bytes = 0;   // what its processes hold, but for files that can be read again

  std::size_t room_bytes() const { return limit_bytes - std::min(limit_bytes, held_bytes); }
};

// The cgroup with the least room among those that the process is in; nothing where none is limited.
std::optional<ContainerMemory> TightestContainer(const std::filesystem::path& root = "/");

// What the machine has left, MemAvailable of /proc/meminfo; 0 where it does not say.
std::size_t AvailableMemory(const std::filesystem::path& root = "/");

// Private memory of this process and what it shares (RssAnon and RssShmem of /proc/self/status);
// mapped files and code do not count. 0 where nobody says.
std::size_t HeldMemory();

// The same, for a plan that stands on it: throws Error(kMemory) where nobody says.
std::size_t KnownHeldMemory();

}  // namespace weir
