// What a BMP says in front of its pixels: Windows' headers of all versions, and those of OS/2.
//
// Sources: Microsoft's BITMAPFILEHEADER, BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and
// BITMAPV5HEADER; IBM's OS/2 Presentation Manager, bitmap file format.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "stages/decode/picture/image_format.h"
#include "stages/files/file_bytes.h"

namespace weir {

enum class BmpPacking { kNone, kRle8, kRle4 };

struct BmpHeader {
  int width = 0;   // 0 or below where the file says so: it is no picture then
  int height = 0;  // 0 or above
  int bits = 0;    // a pixel: 1, 2, 4, 8, 16, 24 or 32
  bool bottom_up = true;
  BmpPacking packing = BmpPacking::kNone;
  std::uint64_t pixels_at = 0;  // in the file
  // RGB; what the file leaves out is black
  std::array<std::uint8_t, std::size_t{3} * 256> palette{};
  std::array<std::uint32_t, 3> masks{};  // red, green and blue in a pixel of 16 bits or more
};

// Whether a file that begins so is a BMP.
bool IsBmp(const FirstBytes& start);

// Returns what is wrong with the file: empty where nothing is. Any thread.
std::string ReadBmpHeader(FileBytes& file, BmpHeader& header);
std::string ParseBmpHeader(FileBytes& file, ImageHeader& header);

}  // namespace weir
