// PNG by libvips, strip by strip; an interlaced one in one piece.
#pragma once

#include "stages/decode/picture/image_format.h"

namespace weir {

extern const ImageFormat kPngFormat;

}  // namespace weir
