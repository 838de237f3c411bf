// The stages that weir brings along.
#pragma once

#include "framework/flow/registry.h"

namespace weir {

void AddBuiltinStages(Registry& registry);

}  // namespace weir
