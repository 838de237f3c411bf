// The row of flatten_layer.h (head_operation.h).
#pragma once

#include "stages/train/head/head_operation.h"

namespace weir {

extern const HeadOperationKind kFlattenOperation;

}  // namespace weir
