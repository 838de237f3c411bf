// PBM, PGM and PPM, of bytes and of text, row by row; of many pictures in a file the first.
#pragma once

#include "stages/decode/picture/image_format.h"

namespace weir {

extern const ImageFormat kPnmFormat;

}  // namespace weir
