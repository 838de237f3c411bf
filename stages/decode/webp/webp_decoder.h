// WebP by libwebp in the calling thread; of an animated one the first frame, on its canvas.
// (libvips would start a thread for each.)
//
// It is scaled while it is decoded, but for a frame that is a part of its canvas and a lossless
// picture with alpha: of those all pixels are held, 3 bytes each.
#pragma once

#include <cstddef>
#include <string>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

std::string WebpVersion();  // of the library that is loaded: "1.2.4"

// `wanted` is of the upright picture. Any thread; the Drop has no sample.
Outcome<Image> DecodeWebp(const FileBytes& file, const ImageHeader& header,
                          const WantedSize& wanted);

// The most that DecodeWebp() holds, its result included.
std::size_t WebpDecoderBytes(const ImageHeader& header, const WantedSize& wanted);

}  // namespace weir
