// The frozen prefix by oneDNN, called directly: batch norms are folded, weights packed once, and
// activations lie in a few buffers that are planned by liveness. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "stages/model/frozen_prefix.h"

namespace weir {

// Throws Error(kConfig) where this CPU cannot do `options.precision`, or the preprocessing cannot
// be had in int8. `weights` may be dropped afterwards.
std::unique_ptr<FrozenPrefix> MakeOneDnnPrefix(const Network& network, const LayerReader& weights,
                                               const PrefixOptions& options);

// What the two figures of the prefix (frozen_prefix.h) will be, without weights and without making
// the primitives' kernels resident for long; for the plan.
struct PrefixFootprint {
  std::size_t weights_bytes = 0;
  std::size_t workspace_bytes = 0;
};
PrefixFootprint OneDnnPrefixFootprint(const Network& network, const PrefixOptions& options);

// What the prefix's bits depend on beside the model and the options: "oneDNN 3.2.0 (7e27...), isa
// 7".
std::string OneDnnVersion();

}  // namespace weir
