// The run lengths of a BMP (BI_RLE8, BI_RLE4), unpacked row by row, in the order of the file.
//
// One thread an object. Holds 16 KB, whatever the picture's size.
#pragma once

#include <cstdint>

#include "stages/decode/picture/byte_stream.h"
#include "stages/files/file_bytes.h"

namespace weir {

class BmpRle {
 public:
  // `half_bytes` is for RLE4, whose indices have 4 bits. The file is to outlive this.
  BmpRle(const FileBytes& file, std::uint64_t at, bool half_bytes)
      : bytes_(file, at), half_bytes_(half_bytes) {}

  // The next row of `width` palette indices. Pixels that the file passes over are 0, and so are the
  // rows behind the mark that ends the picture. False where the file ends before that, unless the
  // row lacks nothing but its own end.
  bool ReadRow(std::uint8_t* row, int width);

 private:
  bool Repeat(int count, std::uint8_t* row, int width, int& x);
  bool Copy(int count, std::uint8_t* row, int width, int& x);

  ByteStream bytes_;
  const bool half_bytes_;
  int start_ = 0;        // where the next row that is not passed over begins
  int passed_over_ = 0;  // rows still to be given as zeros
  bool ended_ = false;
};

}  // namespace weir
