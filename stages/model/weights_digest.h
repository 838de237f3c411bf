// Tells weights from others by their numbers, whatever file, format and names they come with.
//
// One thread. Holds what the reader holds.
#pragma once

#include "stages/model/backbone_weights.h"
#include "stages/model/sha256.h"

namespace weir {

// A reader that adds what it reads, as float32, to `digest`, which outlives it.
LayerReader Hashed(LayerReader reader, Sha256& digest);

}  // namespace weir
