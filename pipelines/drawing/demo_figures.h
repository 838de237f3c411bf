// The figures that the demo tells apart.
#pragma once

#include <span>

#include "pipelines/drawing/figure.h"

namespace weir {

std::span<const Figure> DemoFigures();  // 6

}  // namespace weir
