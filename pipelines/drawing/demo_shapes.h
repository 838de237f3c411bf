// The shapes that the demo tells apart.
#pragma once

#include <span>

#include "pipelines/drawing/shapes.h"

namespace weir {

std::span<const Shape> DemoShapes();  // 6

}  // namespace weir
