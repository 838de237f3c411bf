// What a pixel's values become before they enter the network, worked out once for each of them: so
// everything on the processor that prepares pictures feeds the network the same bits.
//
// Pure; any thread. 3 KB.
#pragma once

#include <array>

#include "stages/model/backbones/convention.h"

namespace weir {

using PixelTable = std::array<std::array<float, 256>, 3>;  // by channel and value

// x * scale + offset of each channel, in float32: the product is rounded, and then the sum, as on a
// device.
PixelTable MakePixelTable(const Preprocessing& preprocessing);

}  // namespace weir
