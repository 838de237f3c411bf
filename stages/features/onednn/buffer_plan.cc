#include "stages/features/onednn/buffer_plan.h"

#include <algorithm>
#include <numeric>

namespace weir {

BufferPlan PlanBuffers(const std::vector<BufferLife>& buffers) {
  std::vector<std::size_t> largest_first(buffers.size());
  std::iota(largest_first.begin(), largest_first.end(), 0);
  std::stable_sort(largest_first.begin(), largest_first.end(),
                   [&](auto a, auto b) { return buffers[a].bytes > buffers[b].bytes; });

  BufferPlan plan{std::vector<std::size_t>(buffers.size())};
  std::vector<std::size_t> placed;  // by offset
  for (std::size_t buffer : largest_first) {
    const BufferLife& life = buffers[buffer];
    std::size_t offset = 0;
    for (std::size_t other : placed) {
      const bool together = buffers[other].first_step <= life.last_step &&
                            life.first_step <= buffers[other].last_step;
      if (!together) continue;
      if (offset + AlignedSize(life.bytes) <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + AlignedSize(buffers[other].bytes));
    }
    plan.offsets[buffer] = offset;
    plan.bytes = std::max(plan.bytes, offset + AlignedSize(life.bytes));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                   [&](auto at, auto other) { return at < plan.offsets[other]; }),
                  buffer);
  }
  return plan;
}

}  // namespace weir
