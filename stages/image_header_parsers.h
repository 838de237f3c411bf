// The parsers behind ReadImageHeader(), one for each kind of file. Each fills in the header and
// returns what is wrong with the file: empty where nothing is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "stages/file_bytes.h"
#include "stages/image_header.h"

namespace weir {

std::string ParseJpegHeader(FileBytes& file, ImageHeader& header);
std::string ParsePngHeader(FileBytes& file, ImageHeader& header);
std::string ParseGifHeader(FileBytes& file, ImageHeader& header);
std::string ParseWebpHeader(FileBytes& file, ImageHeader& header);
std::string ParseTiffHeader(FileBytes& file, ImageHeader& header);
std::string ParseBmpHeader(FileBytes& file, ImageHeader& header);
std::string ParsePnmHeader(FileBytes& file, ImageHeader& header);

// The JPEG that begins at `begin`: a file's, or a strip's in a TIFF, of any number of channels.
std::string ParseJpegStream(FileBytes& file, std::uint64_t begin, ImageHeader& header);

inline std::uint32_t Big16(const unsigned char* bytes) { return bytes[0] << 8 | bytes[1]; }
inline std::uint32_t Big32(const unsigned char* bytes) {
  return Big16(bytes) << 16 | Big16(bytes + 2);
}
inline std::uint32_t Little16(const unsigned char* bytes) { return bytes[1] << 8 | bytes[0]; }
inline std::uint32_t Little24(const unsigned char* bytes) {
  return static_cast<std::uint32_t>(bytes[2]) << 16 | Little16(bytes);
}
inline std::uint32_t Little32(const unsigned char* bytes) {
  return Little16(bytes + 2) << 16 | Little16(bytes);
}

// Whether the four letters of a chunk's name are `tag`.
inline bool IsTag(const unsigned char* name, const char* tag) {
  return std::memcmp(name, tag, 4) == 0;
}

// A side as ImageHeader keeps it; one that passes an int is refused as too large later on.
inline int SideOf(std::uint32_t value) {
  return static_cast<int>(std::min<std::uint32_t>(value, std::numeric_limits<int>::max()));
}

}  // namespace weir
