#include "pipelines/job/host_ceiling.h"

#include <tbb/info.h>

#include "framework/byte_size.h"

namespace weir {

HostCeiling HostCeilingOf(const Config& config, const std::vector<MemoryLimit>& limits) {
  if (config.memory.host.is_auto()) return {AutomaticHostLimit(limits), ""};
  HostCeiling ceiling{config.memory.host.value().bytes, ""};
  for (const MemoryLimit& limit : limits) {
    if (!limit.is_hard || UsableBytes(limit) >= ceiling.bytes) continue;
    ceiling = {UsableBytes(limit), "memory.host is " + ToText(config.memory.host.value()) +
                                       ", but " + limit.name + " allows " +
                                       ToRoundText(ByteSize{limit.bytes}) + " in all"};
  }
  return ceiling;
}

int Workers(const Config& config) {
  return config.threads.value_or(tbb::info::default_concurrency());
}

}  // namespace weir
