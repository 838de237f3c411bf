// What may be chosen of an InferenceGraph. Plain data.
#pragma once

#include <memory>
#include <vector>

#include "stages/model/frozen_prefix.h"

namespace weir {

struct InferenceOptions {
  bool keeps_batch_norms = false;  // as operations of their own, folded into nothing
  // The maps of the backbone, where it is to compute in int8, as `precision: int8` does; batch
  // norms are then folded.
  std::shared_ptr<const std::vector<MapStatistics>> maps{};
};

}  // namespace weir
