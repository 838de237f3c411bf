// How the first picture of a TIFF is stored, and what libtiff holds while it reads that: worked out
// from the directory, and from the header of each of its JPEG strips.
//
// What weir does not read is refused by its name: kinds of colour, of samples, and compressions
// whose memory nothing in the file bounds (LZMA: a dictionary of up to 4 GiB) or that no data set
// uses. Any thread; no pixel is decoded, nothing is held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "stages/files/file_bytes.h"

namespace weir {

// TIFF 6.0, sections 3 to 22; compressions 8, 32946 and 50000 as libtiff has them.
enum TiffCompression : std::uint32_t {
  kTiffNone = 1,
  kTiffJpeg = 7,
  kTiffZstandard = 50000,
};
enum TiffColour : std::uint32_t {
  kTiffWhiteIsZero = 0,
  kTiffBlackIsZero = 1,
  kTiffRgb = 2,
  kTiffPalette = 3,
  kTiffInks = 5,
  kTiffYcbcr = 6,
};

struct TiffLayout {
  int width = 0;
  int height = 0;
  int orientation = 1;
  std::uint32_t samples = 1;  // a pixel has, 1 to 5
  std::uint32_t bits = 1;     // a sample has: 1, 2, 4, 8, 12 or 16
  std::uint32_t colour = kTiffWhiteIsZero;
  std::uint32_t compression = kTiffNone;
  bool planar = false;  // each sample of all pixels by itself, where there are several
  bool says_planar = false;
  bool associated = false;  // colours are stored multiplied by the alpha behind them
  bool tiled = false;
  std::uint64_t piece_width = 0;   // a tile's or a strip's, in pixels
  std::uint64_t piece_height = 0;  // a strip's is no more than the picture's

  // What the strips or tiles and the directory of the file come to.
  std::uint64_t largest_piece_bytes = 0;
  std::uint64_t pieces = 0;
  std::uint64_t directory_bytes = 0;  // what libtiff makes of the directory in memory

  int planes() const { return planar ? static_cast<int>(samples) : 1; }
  // YCbCr that is not JPEG's, which libtiff converts: a band of pieces at a time, as RGBA.
  bool is_converted() const { return colour == kTiffYcbcr && compression != kTiffJpeg; }
  // Long strips are read row by row, by one reader for each plane; what else, piece by piece.
  bool by_row() const { return !tiled && !is_converted() && piece_height > 128; }
  // An uncompressed picture in one strip is cut into strips of 8 KiB or a row by libtiff.
  bool is_chopped() const {
    return compression == kTiffNone && pieces == 1 && !tiled && !says_planar &&
           (by_row() || is_converted());
  }
  // The bytes of a row of one plane, where a row holds `width` pixels.
  std::size_t row_bytes(std::uint64_t width) const {
    return static_cast<std::size_t>((width * bits * (planar ? 1 : samples) + 7) / 8);
  }
  std::size_t piece_bytes() const { return row_bytes(piece_width) * piece_height; }
  std::uint64_t pieces_across() const { return (width + piece_width - 1) / piece_width; }
  // All planes of a row of pieces.
  std::size_t band_bytes() const {
    return row_bytes(pieces_across() * piece_width) * piece_height * planes();
  }

  // What is held of it at most, beside what becomes of a row when it is RGB.
  std::size_t HeldBytes() const;
};

// Returns what is wrong with the file: empty where nothing is. Where a side is 0 the rest is not
// looked at.
std::string ReadTiffLayout(FileBytes& file, TiffLayout& layout);

}  // namespace weir
