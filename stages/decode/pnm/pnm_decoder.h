// PBM, PGM and PPM, of bytes and of text, row by row; of many pictures in a file the first.
#pragma once

#include <cstddef>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

// `wanted` is of the upright picture. Any thread; the Drop has no sample.
Outcome<Image> DecodePnm(FileBytes& file, const ImageHeader& header, const WantedSize& wanted);

// The most that DecodePnm() holds, its result included.
std::size_t PnmDecoderBytes(const ImageHeader& header, const WantedSize& wanted);

}  // namespace weir
