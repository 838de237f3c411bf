// Smaller sizes of pictures, for a job that does not fit in its ceiling.
#pragma once

#include <array>
#include <vector>

#include "framework/flow/stage.h"

namespace weir {

// What a stage declares whose parameter `size` is [height, width] of the pictures that it gives:
// squares whose sides are multiples of 32 pixels, from the largest below both sides down to 32.
// Empty where there is none.
std::vector<Lowerable> LowerSizes(std::array<int, 2> size);

}  // namespace weir
