// Makes a picture smaller without aliasing, or larger: each pixel of the result is the mean of the
// source's around its place, weighted by a triangle as wide as the scale (in an axis that grows, by
// bilinear interpolation). What Pillow's BILINEAR, torchvision's antialias=True and TensorFlow's
// resize(antialias=True) compute.
//
// In fixed point: the same bits on every instruction set and for any thread, within one grey level
// of exact arithmetic. Separable, a row of the result at a time. Pure functions, any thread; holds
// a row of the source as 16-bit numbers, and 2 bytes and a weight for each tap of the result's
// columns: under 20 KB for 1,000 columns at a scale of 2.
#pragma once

#include <cstdint>

namespace weir {

// From `source`, [height, width, 3], into `out`, [out_height, out_width, 3]; all at least 1.
void Resize(const std::uint8_t* source, int height, int width, std::uint8_t* out, int out_height,
            int out_width);

// The same in plain C++: what other processors run, and what Resize is compared with.
void ResizePortable(const std::uint8_t* source, int height, int width, std::uint8_t* out,
                    int out_height, int out_width);

}  // namespace weir
