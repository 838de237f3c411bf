// How a batch is cut for a device. Pure functions; any thread.
#pragma once

#include <functional>

namespace weir {

// The largest micro-batch that `fits`, of those that cut `batch_size` in 1, 2, 4, 8... parts as
// even as can be; 1 is asked for first, so that kernels are loaded while there is most room. 0
// where not even 1 fits. `fits` is called at most once for each size.
inline int LargestMicroBatch(int batch_size, const std::function<bool(int)>& fits) {
  if (!fits(1)) return 0;
  int size = batch_size;
  for (int parts = 1; size > 1; parts *= 2, size = (batch_size + parts - 1) / parts) {
    if (fits(size)) return size;
  }
  return 1;
}

}  // namespace weir
