// GIF, its first frame, row by row; an interlaced one in one piece.
//
// A transparent pixel shows the colour that its index has, as PIL's convert("RGB") leaves alpha
// out, and so Keras.
#pragma once

#include "stages/decode/picture/image_format.h"

namespace weir {

extern const ImageFormat kGifFormat;

}  // namespace weir
