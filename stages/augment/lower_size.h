// Smaller sizes of pictures, for a job that does not fit in its ceiling.
#pragma once

#include <array>
#include <vector>

#include "framework/flow/stage.h"

namespace weir {

// What a stage declares whose parameter `size` is the height and the width of the pictures that it
// gives: squares whose sides are multiples of 32 pixels, down to 32. Empty where there is none
// below `size`.
std::vector<Lowerable> LowerSizes(std::array<int, 2> size);

}  // namespace weir
