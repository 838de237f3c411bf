// Pictures of noise, for tests of resampling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "framework/random.h"

namespace weir {

using Pixels = std::vector<std::uint8_t>;

// [height, width, 3]; the same at every call.
inline Pixels Noise(int height, int width) {
  Pixels pixels(std::size_t{3} * height * width);
  CounterRandom random(7, "noise");
  for (std::uint8_t& level : pixels) level = static_cast<std::uint8_t>(random.Next());
  return pixels;
}

}  // namespace weir
