// The markers of a JPEG up to its first scan (ITU-T T.81, annex B).
#pragma once

#include <cstdint>
#include <string>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"

namespace weir {

// Fills in the header and returns what is wrong with the file: empty where nothing is. Any thread.
std::string ParseJpegHeader(FileBytes& file, ImageHeader& header);

// The same of the JPEG that begins at `begin` and takes up to `bytes`: a strip of a TIFF, of any
// number of channels.
std::string ParseJpegStream(FileBytes& file, std::uint64_t begin, std::uint64_t bytes,
                            ImageHeader& header);

}  // namespace weir
