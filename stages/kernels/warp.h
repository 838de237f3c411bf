// The resampling of a picture that is varied: affine augmentation, flip and what is left of the
// resize in a single pass.
//
// Bilinear, in fixed point: the same bits on every instruction set and for any thread. A place
// outside the source shows the nearest pixel of its edge. No more than bilinear: a picture that the
// map makes smaller is to be resized before (resize.h), or it loses detail to aliasing.
//
// Pure functions, any thread. No memory but the stack, except for a source of one row or one column
// (a copy of twice its size).
#pragma once

#include "stages/kernels/affine.h"
#include "stages/pixel_view.h"

namespace weir {

// From `source` into `out`, which does not overlap it; `map` leads from a pixel of `out` to the
// place in `source` that it shows. All sizes are at least 1 and all places within 2^30 pixels.
// Within 1 grey level of exact arithmetic.
void Warp(PixelView source, const Affine& map, MutablePixelView out);

// The same in plain C++, pixel by pixel: what other processors run, and what Warp is compared with.
void WarpPortable(PixelView source, const Affine& map, MutablePixelView out);

}  // namespace weir
