// TIFF by libtiff in the calling thread: its first page, in strips or tiles. (libvips would look
// at every page first, and hold a picture with associated alpha as a whole.)
#pragma once

#include "stages/decode/picture/image_format.h"

namespace weir {

extern const ImageFormat kTiffFormat;

}  // namespace weir
