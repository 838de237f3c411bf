// MobileNetV2 (Sandler et al., 2018) as a row of the list of backbones.
#pragma once

#include "stages/model/backbones/backbone.h"

namespace weir {

// `width` is Keras' alpha: channels are rounded to multiples of 8 and never fall by more than a
// tenth; the last layer keeps 1280 channels below 1.0.
extern const BackboneKind kMobileNetV2;

}  // namespace weir
