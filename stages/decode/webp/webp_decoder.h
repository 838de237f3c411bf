// WebP by libwebp in the calling thread; of an animated one the first frame, on its canvas.
// (libvips would start a thread for each.)
//
// It is scaled while it is decoded, but for a frame that is a part of its canvas and a lossless
// picture with alpha: of those all pixels are held, 3 bytes each.
#pragma once

#include "stages/decode/picture/image_format.h"

namespace weir {

extern const ImageFormat kWebpFormat;

}  // namespace weir
