// The row of batch_norm_layer.h (head_operation.h).
#pragma once

#include "stages/train/head/head_operation.h"

namespace weir {

extern const HeadOperationKind kBatchNormOperation;

}  // namespace weir
