// The stages that stand between a picture's file and the batches, and need no LibTorch.
#pragma once

#include "framework/flow/registry.h"

namespace weir {

void AddPictureStages(Registry& registry);

}  // namespace weir
