// The text of a PNG's tEXt, zTXt and iTXt chunks (W3C PNG, section 11.3.3), in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "stages/files/file_bytes.h"

namespace weir {

struct PngText {
  std::string keyword;       // empty where the chunk is none of the three, or is broken
  bool packed = false;       // the text is deflated
  std::uint64_t begin = 0;   // where the text is, in the file
  std::uint64_t length = 0;  // how long the text is, as it is stored
};

// Reads what stands in front of the text. `tag` is the chunk's name, `begin` and `length` are of
// its data. Any thread.
PngText FindPngText(FileBytes& file, const char* tag, std::uint64_t begin, std::uint64_t length);

// The text, unpacked, up to its first 64 KiB: as far as it can be read where it is broken. Holds
// three times that meanwhile.
std::string ReadPngText(const FileBytes& file, const PngText& found);

}  // namespace weir
