// The frozen prefix on the processor: one sample a task, on whichever threads are free.
#pragma once

#include <memory>

#include "framework/shape.h"
#include "stages/device/prefix_runner.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"

namespace weir {

// Holds `workspaces` workspaces of the prefix, at least one. With as many as there are threads no
// call ever waits; with fewer, a call waits at most until another one ends its batch.
std::unique_ptr<PrefixRunner> MakeHostPrefix(std::unique_ptr<const FrozenPrefix> prefix,
                                             Shape feature_dims, int workspaces);

// For a model of which nothing is frozen: the features are the preprocessed pictures. Holds
// 3 KB.
std::unique_ptr<PrefixRunner> MakeHostPreprocessing(const Model& model);

}  // namespace weir
