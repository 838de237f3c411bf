#include "stages/decode/gif/gif_frame.h"

#include <algorithm>

#include "stages/decode/picture/byte_order.h"

namespace weir {
namespace {

constexpr int kMaxBlocks = 50000;  // in front of the frame
constexpr unsigned kImage = 0x2c, kExtension = 0x21, kTrailer = 0x3b;
constexpr unsigned kGraphicControl = 0xf9;

// Reads the table that `flags` announce at `at`, and moves `at` behind it.
bool ReadPalette(FileBytes& file, unsigned flags, std::uint64_t& at, GifFrame& frame) {
  if (!(flags & 0x80)) return true;
  const std::size_t bytes = 3u << ((flags & 7) + 1);
  frame.palette.fill(0);
  if (!file.Read(at, frame.palette.data(), bytes)) return false;
  at += bytes;
  return true;
}

}  // namespace

std::string FindGifFrame(FileBytes& file, GifFrame& frame) {
  constexpr const char* kTruncated = "is truncated in its header";
  for (std::size_t i = 0; i < frame.palette.size(); ++i) frame.palette[i] = i / 3;
  std::array<unsigned char, 13> screen;
  if (!file.Read(0, screen.data(), screen.size())) return kTruncated;
  std::uint64_t at = screen.size();
  if (!ReadPalette(file, screen[10], at, frame)) return kTruncated;
  for (int i = 0; i < kMaxBlocks; ++i) {
    std::array<unsigned char, 10> block{};
    if (!file.Read(at, block.data(), 1)) return kTruncated;
    if (block[0] == kImage) {
      if (!file.Read(at, block.data(), block.size())) return kTruncated;
      frame.left = static_cast<int>(Little16(&block[1]));
      frame.top = static_cast<int>(Little16(&block[3]));
      frame.width = static_cast<int>(Little16(&block[5]));
      frame.height = static_cast<int>(Little16(&block[7]));
      frame.canvas_width =
          std::max(static_cast<int>(Little16(&screen[6])), frame.left + frame.width);
      frame.canvas_height =
          std::max(static_cast<int>(Little16(&screen[8])), frame.top + frame.height);
      frame.interlaced = block[9] & 0x40;
      if (frame.width == 0 || frame.height == 0) return "is corrupt: its first frame has no pixels";
      at += block.size();
      if (!ReadPalette(file, block[9], at, frame)) return kTruncated;
      frame.data_at = at;
      return "";
    }
    if (block[0] == kTrailer) return "ends before its picture";
    if (block[0] == 0) {  // some writers leave one behind an extension
      ++at;
      continue;
    }
    if (block[0] != kExtension) return "is corrupt: an unknown block in its header";
    // A label, and sub-blocks up to an empty one.
    if (file.Read(at, block.data(), 7) && block[1] == kGraphicControl && block[2] >= 4 &&
        (block[3] & 1)) {
      frame.around = block[6];
    }
    at += 2;
    do {
      if (!file.Read(at, block.data(), 1)) return kTruncated;
      at += 1 + block[0];
    } while (block[0] != 0 && ++i < kMaxBlocks);
  }
  return "is corrupt: too many blocks before its picture";
}

std::string ParseGifHeader(FileBytes& file, ImageHeader& header) {
  GifFrame frame;
  if (std::string wrong = FindGifFrame(file, frame); !wrong.empty()) return wrong;
  header.width = frame.canvas_width;
  header.height = frame.canvas_height;
  header.channels = 3;
  header.whole = frame.interlaced;
  if (frame.interlaced) header.held_bytes = std::size_t(frame.width) * frame.height;
  return "";
}

}  // namespace weir
