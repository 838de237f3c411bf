// Signs and forms of nature that the features are trained on.
#pragma once

#include <span>

#include "pipelines/drawing/figure.h"

namespace weir {

std::span<const Figure> Signs();  // 17

}  // namespace weir
