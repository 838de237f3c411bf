// The chunks of a PNG (W3C PNG, section 11): those before its picture, and those behind it for the
// orientation.
#pragma once

#include <string>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"

namespace weir {

// Fills in the header and returns what is wrong with the file: empty where nothing is. Any thread.
std::string ParsePngHeader(FileBytes& file, ImageHeader& header);

}  // namespace weir
