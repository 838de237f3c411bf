// JPEG by libjpeg-turbo, scaled by 1/2, 1/4 or 1/8 while it is decoded.
//
// A picture that is cut off or corrupt is refused, not filled with grey. What libjpeg only remarks
// on and decodes in full (stray bytes, a missing end marker) passes.
#pragma once

#include <cstddef>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

// `wanted` is of the upright picture. Any thread; the Drop has no sample.
Outcome<Image> DecodeJpeg(const FileBytes& file, const ImageHeader& header,
                          const WantedSize& wanted);

// The most that DecodeJpeg() holds, its result included.
std::size_t JpegDecoderBytes(const ImageHeader& header, const WantedSize& wanted);

}  // namespace weir
