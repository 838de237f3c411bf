// The frozen prefix by LibTorch, unfused: the reference that oneDNN's is compared with.
#pragma once

#include <memory>

#include "stages/model/frozen_prefix.h"

namespace weir {

std::unique_ptr<FrozenPrefix> MakeTorchPrefix(const Network& network, const LayerReader& weights,
                                              const PrefixOptions& options);

}  // namespace weir
