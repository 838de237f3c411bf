// Which layers of the backbone learn, and where that cuts it in two.
//
// Pure functions; any thread.
#pragma once

#include <vector>

#include "stages/model/backbones/backbone.h"
#include "stages/model/model_config.h"

namespace weir {

// For each of the backbone's layers whether it learns. A layer freezes together with its batch
// norm. A pattern names a layer or what holds it, in any of the three namings: "block_1_*",
// "features.3", "blocks.0.*". Throws Error(kConfig) where a name or a pattern covers no layer.
std::vector<bool> LearningLayers(const FrozenConfig& frozen, const Backbone& backbone);

// How many layers from the front can run ahead of all that learns. One map alone may cross the cut,
// so inside a block whose input is added to its output the cut moves back to the block's beginning.
int PrefixLayers(const Network& network, const std::vector<bool>& learns);

}  // namespace weir
