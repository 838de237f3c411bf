#include "pipelines/job/host_ceiling.h"

#include <tbb/info.h>

#include <algorithm>

#include "framework/byte_size.h"

namespace weir {
namespace {

// What the process comes to hold beside the leases once it works: stacks of the workers, kernels
// that oneDNN compiles, the C allocator's slack. Measured with the article's job.
constexpr std::size_t kReserveBytes = std::size_t{8} << 20;
constexpr std::size_t kReserveBytesPerThread = std::size_t{1} << 20;

// What is the machine's or a container's the processes of the job share; an RLIMIT is each one's.
std::vector<MemoryLimit> OwnLimits(const Config& config, std::vector<MemoryLimit> limits) {
  for (MemoryLimit& limit : limits) {
    if (!limit.name.starts_with("RLIMIT")) {
      limit.bytes /= static_cast<std::size_t>(config.processes);
    }
  }
  return limits;
}

}  // namespace

HostCeiling HostCeilingOf(const Config& config, const std::vector<MemoryLimit>& limits) {
  const std::vector<MemoryLimit> own = OwnLimits(config, limits);
  if (config.memory.host.is_auto()) return {AutomaticHostLimit(own), ""};
  HostCeiling ceiling{config.memory.host.value().bytes, ""};
  for (const MemoryLimit& limit : own) {
    if (!limit.is_hard || UsableBytes(limit) >= ceiling.bytes) continue;
    ceiling = {UsableBytes(limit), "memory.host is " + ToText(config.memory.host.value()) +
                                       ", but " + limit.name + " allows " +
                                       ToRoundText(ByteSize{limit.bytes}) +
                                       (config.processes > 1 ? " for each rank" : " in all")};
  }
  return ceiling;
}

int Workers(const Config& config) {
  return config.threads.value_or(std::max(1, tbb::info::default_concurrency() / config.processes));
}

std::size_t ProcessReserve(std::size_t threads) {
  return KnownHeldMemory() + kReserveBytes + kReserveBytesPerThread * threads;
}

}  // namespace weir
