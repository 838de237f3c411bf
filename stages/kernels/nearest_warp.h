// The resampling of a picture without blending, as torchvision's affine and rotate do it to tensors
// with `interpolation="nearest"`: each pixel shows the source's nearest, or `fill` where its place
// lies outside. A place half-way between two pixels shows the later one; torchvision's float32
// decides it either way.
//
// Fixed point: the same bits on every machine. A pure function; any thread; nothing is allocated.
#pragma once

#include <array>
#include <cstdint>

#include "stages/kernels/affine.h"
#include "stages/pixel_view.h"

namespace weir {

// From `source` into `out` of the same size, which does not overlap it; `map` leads from a pixel of
// `out` to the place in `source` that it shows. Sizes are at least 1, places within 2^30 pixels.
void WarpNearest(PixelView source, const Affine& map, const std::array<std::uint8_t, 3>& fill,
                 MutablePixelView out);

}  // namespace weir
