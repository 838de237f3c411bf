// Where a GIF's first frame is, and what its pixels mean (GIF89a, sections 17 to 23).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "stages/decode/picture/image_header.h"
#include "stages/files/file_bytes.h"

namespace weir {

struct GifFrame {
  int canvas_width = 0;  // at least as far as the frame reaches
  int canvas_height = 0;
  int left = 0;  // where the frame lies on the canvas
  int top = 0;
  int width = 0;
  int height = 0;
  bool interlaced = false;

  // RGB of each index. Where the file has no table, index i is the grey of brightness i; behind the
  // end of one, black. Both are as Pillow has them.
  std::array<std::uint8_t, std::size_t{3} * 256> palette{};

  // What the canvas shows around the frame: the transparent index where there is one, as Pillow has
  // it, and not the screen's background colour, which viewers ignore.
  std::uint8_t around = 0;

  std::uint64_t data_at = 0;  // where the pixels are: the byte of the code size, and the sub-blocks
};

// Returns what is wrong with the file: empty where nothing is. Any thread.
std::string FindGifFrame(FileBytes& file, GifFrame& frame);
std::string ParseGifHeader(FileBytes& file, ImageHeader& header);

}  // namespace weir
