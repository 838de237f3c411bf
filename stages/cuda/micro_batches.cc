#include "stages/cuda/micro_batches.h"

namespace weir {

int LargestMicroBatch(int batch_size, const std::function<bool(int)>& fits) {
  if (!fits(1)) return 0;
  int size = batch_size;
  for (int parts = 1; size > 1; parts *= 2, size = (batch_size + parts - 1) / parts) {
    if (fits(size)) return size;
  }
  return 1;
}

}  // namespace weir
