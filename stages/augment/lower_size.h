// Smaller sizes of pictures, for a job that does not fit in its ceiling.
#pragma once

#include <vector>

#include "framework/flow/stage.h"
#include "stages/augment/picture_size.h"

namespace weir {

// What a stage declares whose parameter `size` is [height, width] of the pictures that it gives:
// squares whose sides are multiples of 32 pixels, from the largest below both sides down to 32.
// Empty where there is none.
std::vector<Lowerable> LowerSizes(const PictureSize& size);

}  // namespace weir
