// Makes the features of a batch: the frozen front of the model, wherever it runs.
//
// Any number of threads may Run one.
#pragma once

#include <utility>

#include "stages/payloads.h"

namespace weir {

class PrefixRunner {
 public:
  virtual ~PrefixRunner() = default;

  // `batch` is uint8 [N, H, W, 3] of the model's input size, on the host or uploaded by the device
  // that made the runner. Gives the features on the host, float32 [N, dims of a sample...], the
  // samples in the order of the batch. The pixels may be given back before it returns.
  virtual FeatureBatch Run(Batch batch) = 0;

  // The same, but the features may stay on the device that made them.
  virtual FeatureBatch RunAndLeave(Batch batch) { return Run(std::move(batch)); }

  // Works on fewer samples at once from now on, and gives back what the others held. Any thread,
  // also while one runs.
  virtual void LowerWorkers(int) {}
};

}  // namespace weir
