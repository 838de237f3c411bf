// Tells weights from others by their numbers, whatever file, format and names they come with.
//
// One thread. Holds what the reader holds.
#pragma once

#include "stages/files/sha256.h"
#include "stages/model/backbones/backbone_weights.h"

namespace weir {

// A reader that adds what it reads, as float32, to `digest`, which outlives it.
LayerReader Hashed(LayerReader reader, Sha256& digest);

}  // namespace weir
