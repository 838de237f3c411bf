// What a 3x3 depthwise convolution reads and writes: maps [n, h, w, C] without gaps.
#pragma once

#include <cstdint>

namespace weir {

// Zeros lie around what is read: `pad_top` rows above it, `pad_left` columns before it, and as many
// below and behind it as the last windows of the output reach over.
struct DepthwiseMaps {
  std::int64_t count, channels;
  std::int64_t in_height, in_width, out_height, out_width;
  std::int64_t stride, pad_top, pad_left;
};

}  // namespace weir
