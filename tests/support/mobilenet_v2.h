// MobileNetV2 in a line.
#pragma once

#include "stages/model/backbones/mobilenet_v2.h"

namespace weir {

inline Backbone MobileNetV2(double width, MapSize input, const Convention& convention) {
  return Backbone(kMobileNetV2, width, input, convention);
}

}  // namespace weir
