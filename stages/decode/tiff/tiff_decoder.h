// TIFF by libtiff in the calling thread: its first page, in strips or tiles. (libvips would look
// at every page first, and hold a picture with associated alpha as a whole.)
#pragma once

#include <cstddef>
#include <string>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"
#include "stages/payloads.h"

namespace weir {

std::string TiffVersion();  // the library's that is loaded: "4.5.0"

// `wanted` is of the upright picture. Any thread; the Drop has no sample.
Outcome<Image> DecodeTiff(FileBytes& file, const ImageHeader& header, const WantedSize& wanted);

// The most that DecodeTiff() holds, its result included.
std::size_t TiffDecoderBytes(const ImageHeader& header, const WantedSize& wanted);

}  // namespace weir
