// The first directory of a TIFF as an ImageHeader; what libtiff will hold is in tiff_layout.h.
#pragma once

#include <string>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"

namespace weir {

// Fills in the header and returns what is wrong with the file: empty where nothing is. Any thread.
std::string ParseTiffHeader(FileBytes& file, ImageHeader& header);

}  // namespace weir
