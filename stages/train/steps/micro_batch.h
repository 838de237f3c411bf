// The part of a batch that is computed at once.
#pragma once

#include <span>

#include "stages/payloads.h"

namespace weir {

struct MicroBatch {
  // [samples, dims...] on the host, wherever they are used, or on the device where they are used;
  // null: zeros, in a rehearsal.
  const float* features = nullptr;
  bool is_on_device = false;
  std::span<const Sample> samples;  // in the first rows; on a device rows of zeros may follow
  int epoch = 0;                    // what dropout depends on beside the seed and the sample
  int batch_size = 1;               // samples in the whole batch: the loss is the mean over it
  int size() const { return static_cast<int>(samples.size()); }
};

}  // namespace weir
