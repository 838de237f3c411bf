// JPEG by libjpeg-turbo, scaled by 1/2, 1/4 or 1/8 while it is decoded.
//
// A picture that is cut off or corrupt is refused, not filled with grey. What libjpeg only remarks
// on and decodes in full (stray bytes, a missing end marker) passes.
#pragma once

#include "stages/decode/picture/image_format.h"

namespace weir {

extern const ImageFormat kJpegFormat;

}  // namespace weir
