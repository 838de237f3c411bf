// Changes the colours of a picture in place, as torchvision.transforms.v2.functional does to uint8
// tensors: float32 arithmetic, cut off at 0 and 255, fractions dropped.
//
// `pixels` are sRGB, 3 bytes each. Pure functions; any thread; nothing is allocated.
#pragma once

#include <cstdint>
#include <span>

namespace weir {

// 0.2989 red + 0.587 green + 0.114 blue, in all three channels.
void Grayscale(std::span<std::uint8_t> pixels);

// A factor of 1 changes nothing, of 0 gives black, the picture's mean grey, or a grey picture.
void AdjustBrightness(std::span<std::uint8_t> pixels, float factor);
void AdjustContrast(std::span<std::uint8_t> pixels, float factor);
void AdjustSaturation(std::span<std::uint8_t> pixels, float factor);

// Turns the hue by that part of the circle, from -0.5 to 0.5.
void AdjustHue(std::span<std::uint8_t> pixels, float turn);

}  // namespace weir
