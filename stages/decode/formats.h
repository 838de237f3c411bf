// A look at a picture's first bytes: what it is, how large, and what it costs to decode.
//
// Nothing is decoded. A few KB are read of most files; of those with thousands of segments in front
// of the picture, or of chunks behind it, more, up to a limit that is the same for all. Any thread;
// nothing is held afterwards.
#pragma once

#include <cstddef>
#include <string_view>

#include "framework/flow/stage.h"
#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"

namespace weir {

// Whether a file that begins so is one of those kinds, by its magic number alone: the first
// kFirstBytes, or all that there are. What lies behind may still be no picture.
inline constexpr std::size_t kFirstBytes = 16;
bool LooksLikePicture(std::string_view first_bytes);

// A Drop (without a sample) where the file is not such a picture, or says of itself what cannot be.
Outcome<ImageHeader> ReadImageHeader(FileBytes& file);

}  // namespace weir
