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

#include <cstddef>
#include <cstdint>

namespace weir {

// Which way the result is mirrored.
struct Flips {
  bool horizontal = false;
  bool vertical = false;
};

// From `source`, [height, width, 3], into `out`, [out_height, out_width, 3]; all at least 1.
void Resize(const std::uint8_t* source, int height, int width, std::uint8_t* out, int out_height,
            int out_width, Flips flips = {});

// The same of a part of a picture, whose rows are `row_bytes` apart.
void ResizePart(const std::uint8_t* source, std::size_t row_bytes, int height, int width,
                std::uint8_t* out, int out_height, int out_width, Flips flips = {});

// The same in plain C++: what other processors run, and what Resize is compared with.
void ResizePortable(const std::uint8_t* source, int height, int width, std::uint8_t* out,
                    int out_height, int out_width, Flips flips = {});

}  // namespace weir
