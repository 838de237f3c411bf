// Household things that the features are trained on.
#pragma once

#include <span>

#include "pipelines/drawing/figure.h"

namespace weir {

std::span<const Figure> Things();  // 18

}  // namespace weir
