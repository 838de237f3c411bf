// Rows of other kinds of pixels as rows of RGB. Alpha is left out without being blended with
// anything, as PIL's convert("RGB") does it, and so Keras.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

// `from`: [width, channels] of 1 (grey), 2 (grey, alpha), 3 or 4 (red, green, blue, and alpha), in
// 8 bits or 16, of which the upper 8 are taken. `to`: [width, 3].
template <class T>
void ToRgb(const T* from, int width, int channels, std::uint8_t* to) {
  constexpr int kDown = 8 * (sizeof(T) - 1);
  const int green = channels >= 3 ? 1 : 0, blue = channels >= 3 ? 2 : 0;
  for (int x = 0; x < width; ++x, from += channels, to += 3) {
    to[0] = static_cast<std::uint8_t>(from[0] >> kDown);
    to[1] = static_cast<std::uint8_t>(from[green] >> kDown);
    to[2] = static_cast<std::uint8_t>(from[blue] >> kDown);
  }
}

// Light that four inks let through: `from` [width, channels] of at least 4, 255 (of 8 bits) being
// all light. The plain formula, without a profile, as PIL has it.
template <class T>
void LightToRgb(const T* from, int width, int channels, bool inverted, std::uint8_t* to) {
  constexpr int kDown = 8 * (sizeof(T) - 1);
  const unsigned flip = inverted ? 255 : 0;
  for (int x = 0; x < width; ++x, from += channels, to += 3) {
    const unsigned black = (from[3] >> kDown) ^ flip;
    for (int i = 0; i < 3; ++i) {
      to[i] = static_cast<std::uint8_t>((((from[i] >> kDown) ^ flip) * black + 127) / 255);
    }
  }
}

}  // namespace weir
