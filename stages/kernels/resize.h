// Makes a picture smaller without aliasing, or larger: each pixel of the result is the mean of the
// source's around its place, weighted by a triangle as wide as the scale (in an axis that grows, by
// bilinear interpolation). What Pillow's BILINEAR, torchvision's antialias=True and TensorFlow's
// resize(antialias=True) compute.
//
// In fixed point: the same bits on every instruction set and for any thread, within one grey level
// of exact arithmetic. Separable, two rows of the result at a time, with AVX2 where the processor
// has it. Pure functions, any thread; holds two rows of the source as 16-bit numbers, and 4 bytes
// and 2 for each tap of the result's rows and columns: under 40 KB from 2,000 x 2,000 to half that.
#pragma once

#include "stages/pixel_view.h"

namespace weir {

// Which way the result is mirrored.
struct Flips {
  bool horizontal = false;
  bool vertical = false;
};

// From `source` into `out`, which does not overlap it; their sizes are at least 1.
void Resize(PixelView source, MutablePixelView out, Flips flips = {});

// The same in plain C++: what other processors run, and what Resize is compared with.
void ResizePortable(PixelView source, MutablePixelView out, Flips flips = {});

}  // namespace weir
