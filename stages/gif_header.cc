// The blocks of a GIF up to its first frame (GIF89a, sections 17 to 20).

#include <algorithm>
#include <array>
#include <string>

#include "stages/image_header_parsers.h"

namespace weir {
namespace {

constexpr int kMaxBlocks = 50000;

}  // namespace

std::string ParseGifHeader(FileBytes& file, ImageHeader& header) {
  std::array<unsigned char, 13> screen;
  if (!file.Read(0, screen.data(), screen.size())) return "is truncated in its header";
  header.width = static_cast<int>(Little16(&screen[6]));
  header.height = static_cast<int>(Little16(&screen[8]));
  header.channels = 4;
  std::uint64_t at = screen.size() + ((screen[10] & 0x80) ? 3u << ((screen[10] & 7) + 1) : 0);
  header.begin = 0;
  for (int i = 0; i < kMaxBlocks; ++i) {  // extensions in front of the frame, block by block
    std::array<unsigned char, 10> block{};
    if (!file.Read(at, block.data(), 1)) return "is truncated in its header";
    if (block[0] == 0x2c) {
      if (!file.Read(at, block.data(), block.size())) return "is truncated in its header";
      header.width = std::max<int>(header.width, Little16(&block[1]) + Little16(&block[5]));
      header.height = std::max<int>(header.height, Little16(&block[3]) + Little16(&block[7]));
      header.held_bytes = 4 * header.pixels() + file.size();
      return "";
    }
    if (block[0] == 0x3b) return "ends before its picture";
    if (block[0] != 0x21) return "is corrupt: an unknown block in its header";
    at += 2;
    do {
      if (!file.Read(at, block.data(), 1)) return "is truncated in its header";
      at += 1 + block[0];
    } while (block[0] != 0 && ++i < kMaxBlocks);
  }
  return "is corrupt: too many blocks before its picture";
}

}  // namespace weir
