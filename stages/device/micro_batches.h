// How a batch is cut for a device. Pure functions; any thread.
#pragma once

#include <functional>

namespace weir {

// With more samples at once a map may come to hold more than the 2^31 values that LibTorch's
// kernels count to: 1,784 pictures of 224 x 224 do. A card is busy with far fewer.
inline constexpr int kMostSamplesAtOnce = 512;

// The largest micro-batch that `fits`, of those that cut `batch_size` in 1, 2, 4, 8... parts as
// even as can be and have at most kMostSamplesAtOnce; 0 where not even 1 fits. 1 is asked for
// first, so that kernels are loaded while there is most room, and again where nothing larger fits:
// the last that was asked for is the one that is given, and what it took may stay taken.
inline int LargestMicroBatch(int batch_size, const std::function<bool(int)>& fits) {
  if (!fits(1)) return 0;
  int size = batch_size;
  for (int parts = 1; size > 1; parts *= 2, size = (batch_size + parts - 1) / parts) {
    if (size <= kMostSamplesAtOnce && fits(size)) return size;
  }
  return batch_size == 1 || fits(1) ? 1 : 0;
}

}  // namespace weir
