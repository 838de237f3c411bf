// The packed pixels of a GIF (GIF89a, section 22 and appendix F), unpacked a few at a time.
//
// One thread an object. Holds 44 KB, whatever the picture's size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stages/byte_stream.h"
#include "stages/file_bytes.h"

namespace weir {

class GifLzw {
 public:
  // `at`: of the byte that says how many bits a pixel has; sub-blocks follow. The file is to
  // outlive this.
  GifLzw(const FileBytes& file, std::uint64_t at);

  // The next `count` palette indices, or as many as there are: fewer at the end of the data or of
  // the file, and where a code cannot be (is_corrupt()).
  std::size_t Read(std::uint8_t* indices, std::size_t count);

  bool is_corrupt() const { return corrupt_; }

 private:
  static constexpr int kMostBits = 12;
  static constexpr int kCodes = 1 << kMostBits;

  int NextByte();  // of a sub-block; -1 at the end
  int NextCode();  // -1 at the end
  void Clear();
  bool Unpack();  // the string of the next code to string_; false where there is none

  ByteStream bytes_;
  int block_left_ = 0;

  int pixel_bits_;
  int code_bits_ = 0;
  int next_ = 0;       // the code that the next string will get
  int previous_ = -1;  // the code before; -1 behind a clear code
  std::uint32_t bits_ = 0;
  int bit_count_ = 0;
  bool corrupt_ = false;
  bool ended_ = false;

  // Each code's string is that of its prefix with one index more.
  std::array<std::uint16_t, kCodes> prefix_;
  std::array<std::uint16_t, kCodes> length_;
  std::array<std::uint8_t, kCodes> last_;
  std::array<std::uint8_t, kCodes> first_;

  std::array<std::uint8_t, kCodes + 1> string_;  // of the code that is being handed out
  std::size_t string_bytes_ = 0, handed_out_ = 0;
};

}  // namespace weir
