// Household things that the features are trained on.
#pragma once

#include <span>

#include "pipelines/drawing/shapes.h"

namespace weir {

std::span<const Shape> Things();  // 18

}  // namespace weir
