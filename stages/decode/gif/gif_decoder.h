// GIF, its first frame, row by row; an interlaced one in one piece.
//
// A transparent pixel shows the colour that its index has, as PIL's convert("RGB") leaves alpha
// out, and so Keras.
#pragma once

#include <cstddef>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

// `wanted` is of the upright picture. Any thread; the Drop has no sample.
Outcome<Image> DecodeGif(FileBytes& file, const ImageHeader& header, const WantedSize& wanted);

// The most that DecodeGif() holds, its result included.
std::size_t GifDecoderBytes(const ImageHeader& header, const WantedSize& wanted);

}  // namespace weir
