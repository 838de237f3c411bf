// What a picture's first bytes say of it: what it is, how large, and what it costs to decode.
//
// Plain data.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weir {

struct ImageFormat;

// Where the first frame lies on its canvas.
struct ImageFrame {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

// Sizes are as stored, before the orientation is applied.
struct ImageHeader {
  const ImageFormat* format = nullptr;  // a row of the list in stages/decode/formats.h

  int width = 0;        // > 0, below 2^26
  int height = 0;       // > 0, below 2^26
  int orientation = 1;  // EXIF's number, 1 to 8
  int channels = 0;     // as decoded, alpha included
  int sample_bytes = 1;
  bool whole = false;  // progressive or interlaced: decoded in memory as a whole

  // The place is known of a WebP's frame alone, whose canvas is width x height. What the frame does
  // not cover is black.
  ImageFrame frame;

  // What a decoder holds at once beside some rows: the coefficients of a progressive JPEG, all rows
  // of an interlaced PNG or GIF, the strips or tiles of a TIFF, metadata.
  std::size_t held_bytes = 0;

  // Where the first picture is in the file: its frame, in an animated WebP.
  std::uint64_t begin = 0;
  std::uint64_t bytes = 0;

  std::size_t pixels() const { return static_cast<std::size_t>(width) * height; }
  bool frame_covers() const { return frame.width == width && frame.height == height; }
  std::size_t row_bytes() const {
    return static_cast<std::size_t>(width) * channels * sample_bytes;
  }
};

// A side as ImageHeader keeps it; one that passes an int is refused as too large later on.
inline int SideOf(std::uint64_t value) {
  return static_cast<int>(std::min<std::uint64_t>(value, std::numeric_limits<int>::max()));
}

}  // namespace weir
