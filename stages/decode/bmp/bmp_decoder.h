// BMP of 1, 2, 4, 8, 16, 24 and 32 bits, plain and as run lengths, row by row.
#pragma once

#include <cstddef>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

// `wanted` is of the upright picture. Any thread; the Drop has no sample.
Outcome<Image> DecodeBmp(FileBytes& file, const ImageHeader& header, const WantedSize& wanted);

// The most that DecodeBmp() holds, its result included.
std::size_t BmpDecoderBytes(const ImageHeader& header, const WantedSize& wanted);

}  // namespace weir
