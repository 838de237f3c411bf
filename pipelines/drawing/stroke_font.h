// A font of strokes for the labels of a plot, as nothing that rasterises for us is sure to have
// another: small letters, digits, and ". - ( )".
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "pipelines/drawing/svg.h"

namespace weir {

enum class TextPlace { kLeft, kMiddle, kRight };  // which part of the text is at the point

// How a text is written: `size` is the height of a digit in pixels.
struct TextStyle {
  double size = 10;
  TextPlace place = TextPlace::kLeft;
  bool is_upwards = false;  // read from below
  Colour colour{};
};

// How wide a text is, in pixels.
double TextWidth(std::string_view text, double size);

// `text` as SVG, its base line at `at`. Characters that the font lacks are a fault of the caller's.
std::string TextSvg(std::string_view text, const Point& at, const TextStyle& style);

}  // namespace weir
