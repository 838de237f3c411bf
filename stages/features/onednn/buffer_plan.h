// Places buffers that live one after another into one allocation, so that two share bytes only if
// they are never alive together.
#pragma once

#include <cstddef>
#include <vector>

namespace weir {

// Vector units and cache lines want no less than this, in bytes.
inline constexpr std::size_t kBufferAlignment = 64;
constexpr std::size_t AlignedSize(std::size_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

struct BufferLife {
  std::size_t bytes = 0;
  int first_step = 0;  // written in
  int last_step = 0;   // read in, at or after first_step
};

struct BufferPlan {
  std::vector<std::size_t> offsets;  // multiples of kBufferAlignment, one a buffer
  std::size_t bytes = 0;             // the size of the whole allocation
};

// The largest buffer first, each at the lowest offset that is free while it lives (greedy by size:
// Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020).
BufferPlan PlanBuffers(const std::vector<BufferLife>& buffers);

}  // namespace weir
