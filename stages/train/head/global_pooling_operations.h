// The rows of global_pooling_layers.h (head_operation.h).
#pragma once

#include "stages/train/head/head_operation.h"

namespace weir {

extern const HeadOperationKind kGlobalAveragePoolingOperation;
extern const HeadOperationKind kGlobalMaxPoolingOperation;

}  // namespace weir
