// The things that weir can draw: a name, and how it is drawn. No two drawings are alike; colours
// and style are the pen's, so that only the form tells what it is.
#pragma once

#include <span>
#include <string_view>

#include "pipelines/drawing/pen.h"

namespace weir {

struct Shape {
  std::string_view name;
  void (*draw)(Pen& pen);
};

// Each in the order of their names, and no name in two of them. The demo learns its shapes with a
// backbone that was trained on the other two.
std::span<const Shape> DemoShapes();  // 6
std::span<const Shape> Things();      // 18
std::span<const Shape> Signs();       // 17

}  // namespace weir
