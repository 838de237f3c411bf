// The chunks of a WebP (RFC 9649): its first picture, and the metadata behind it.
#pragma once

#include <string>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"

namespace weir {

// Fills in the header and returns what is wrong with the file: empty where nothing is. Any thread.
std::string ParseWebpHeader(FileBytes& file, ImageHeader& header);

}  // namespace weir
