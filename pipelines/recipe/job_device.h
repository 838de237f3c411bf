// `device` at the top level of a configuration: the default of every stage that brings batches to a
// device (`prefetch`), whose own `device` may say the same, or auto. Pure; any thread.
#pragma once

#include "framework/config/config.h"
#include "framework/flow/registry.h"

namespace weir {

// Adds a problem where a stage says something else than the top level, both not being auto, or
// where the top level asks for a GPU and no stage brings batches there.
void CheckDevice(const Config& config, const Registry& stages, Problems& problems);

}  // namespace weir
