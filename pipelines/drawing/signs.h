// Signs and forms of nature that the features are trained on.
#pragma once

#include <span>

#include "pipelines/drawing/shapes.h"

namespace weir {

std::span<const Shape> Signs();  // 17

}  // namespace weir
