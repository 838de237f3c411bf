// Changes the colours of a picture, in place but for Sharpen, as
// torchvision.transforms.v2.functional does to uint8 tensors: float32 arithmetic, cut off at 0 and
// 255, fractions dropped.
//
// `pixels` are sRGB, 3 bytes each. Pure functions; any thread; nothing is allocated.
#pragma once

#include <cstdint>
#include <span>

#include "stages/pixel_view.h"

namespace weir {

// 0.2989 red + 0.587 green + 0.114 blue, in all three channels.
void Grayscale(std::span<std::uint8_t> pixels);

// A factor of 1 changes nothing, of 0 gives black, the picture's mean grey, or a grey picture.
void AdjustBrightness(std::span<std::uint8_t> pixels, float factor);
void AdjustContrast(std::span<std::uint8_t> pixels, float factor);
void AdjustSaturation(std::span<std::uint8_t> pixels, float factor);

// Turns the hue by that part of the circle, from -0.5 to 0.5.
void AdjustHue(std::span<std::uint8_t> pixels, float turn);

// Keeps the upper `bits` of each value, 0 to 8 of them.
void Posterize(std::span<std::uint8_t> pixels, int bits);

// Turns values of `threshold`, up to 255, and above into their negative.
void Solarize(std::span<std::uint8_t> pixels, float threshold);

// Stretches each channel to 0 to 255; one of a single value stays as it is.
void AutoContrast(std::span<std::uint8_t> pixels);

// Gives each channel an even histogram, in the whole numbers of PIL's ImageOps.equalize; one with
// fewer than 255 pixels below its highest value stays as it is.
void Equalize(std::span<std::uint8_t> pixels);

// From `source` into `out` of the same size, which does not overlap it. A factor of 1 changes
// nothing, of 0 gives each pixel the mean with its eight neighbours, itself counted five times, and
// above 1 the opposite. Pixels of the edge stay as they are.
void Sharpen(PixelView source, float factor, MutablePixelView out);

}  // namespace weir
