// BMP of 1, 2, 4, 8, 16, 24 and 32 bits, plain and as run lengths, row by row.
#pragma once

#include "stages/decode/picture/image_format.h"

namespace weir {

extern const ImageFormat kBmpFormat;

}  // namespace weir
