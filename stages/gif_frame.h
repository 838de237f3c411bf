// The first frame of a GIF, cut out of the file: a decoder that sees the others too keeps an
// account of each, however many there are.
#pragma once

#include <vector>

#include "stages/file_bytes.h"

namespace weir {

// A whole GIF of one frame, no longer than the file plus a byte. False where the file ends before
// its first frame does.
bool ReadFirstGifFrame(const FileBytes& file, std::vector<unsigned char>& gif);

}  // namespace weir
