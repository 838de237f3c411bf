// The packed pixels of a GIF (GIF89a, section 22 and appendix F), unpacked a few at a time.
//
// It is weir's own, as libvips holds the file and four bytes for each pixel of the canvas, where
// this reads row by row in a tenth of that, and as libvips shows transparent pixels black, not in
// the colour of their index as Pillow and Keras do.
//
// One thread an object. Holds 44 KB, whatever the picture's size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stages/decode/picture/byte_stream.h"
#include "stages/files/file_bytes.h"

namespace weir {

class GifLzw {
 public:
  // `at` is where the byte lies that says how many bits a pixel has; sub-blocks follow. The file is
  // to outlive this.
  GifLzw(const FileBytes& file, std::uint64_t at);

  // The next `count` palette indices, or as many as there are: fewer at the end of the data or of
  // the file, and where a code cannot be (is_corrupt()).
  std::size_t Read(std::uint8_t* indices, std::size_t count);

  bool is_corrupt() const { return corrupt_; }

 private:
  static constexpr int kMostBits = 12;
  static constexpr int kCodes = 1 << kMostBits;

  // A code's string is that of its prefix with one index more.
  struct Entry {
    std::uint16_t prefix;
    std::uint16_t length;
    std::uint8_t last;
    std::uint8_t first;
  };

  bool NextBlock();  // takes the next sub-block; false behind the last
  int NextCode();    // -1 at the end
  void Clear();
  int NextString();  // the code of the next string; -1 where there is none
  void Write(int code, std::uint8_t* indices) const;

  ByteStream bytes_;
  std::array<std::uint8_t, 255> block_;
  std::size_t block_bytes_ = 0, block_taken_ = 0;

  int pixel_bits_;
  int code_bits_ = 0;
  int next_ = 0;       // the code that the next string will get
  int previous_ = -1;  // the code before; -1 behind a clear code
  std::uint32_t bits_ = 0;
  int bit_count_ = 0;
  bool corrupt_ = false;
  bool ended_ = false;

  std::array<Entry, kCodes> table_;
  // The string whose end did not fit into what was asked for.
  std::array<std::uint8_t, kCodes + 1> string_;
  std::size_t string_bytes_ = 0, handed_out_ = 0;
};

}  // namespace weir
