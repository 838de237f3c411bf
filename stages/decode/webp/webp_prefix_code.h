// The bits of a lossless WebP stream, and its prefix codes. (RFC 9649, section 3.7.2.1)
//
// One thread an object. A reader holds 4 KiB, a code up to 6 KiB.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stages/files/file_bytes.h"

namespace weir {

// The bits of a stream, the lowest of each byte first. Behind the end there are zeros.
class LowBitReader {
 public:
  LowBitReader(const FileBytes& file, std::uint64_t begin, std::uint64_t bytes)
      : file_(file), at_(begin), end_(begin + bytes) {}

  // The next bits, up to 24 of them, which stay.
  std::uint32_t Peek(int count) {
    while (held_ < count) {
      held_bits_ |= std::uint64_t{NextByte()} << held_;
      held_ += 8;
    }
    return static_cast<std::uint32_t>(held_bits_ & ((std::uint64_t{1} << count) - 1));
  }
  // Passes over bits that were looked at.
  void Skip(int count) {
    held_bits_ >>= count;
    held_ -= count;
  }
  std::uint32_t Read(int count) {
    const std::uint32_t bits = Peek(count);
    Skip(count);
    return bits;
  }
  // Whether more was read than there is.
  bool ended() const { return behind_ * 8 > held_; }

 private:
  unsigned char NextByte() {
    if (next_ == filled_) {
      const std::uint64_t left = end_ - at_;
      filled_ = file_.ReadSome(at_, buffer_.data(), std::min<std::uint64_t>(left, buffer_.size()));
      at_ += filled_;
      next_ = 0;
      if (filled_ == 0) {
        ++behind_;
        return 0;
      }
    }
    return buffer_[next_++];
  }

  const FileBytes& file_;
  std::uint64_t at_;
  const std::uint64_t end_;
  std::array<unsigned char, 4096> buffer_;
  std::size_t next_ = 0, filled_ = 0;
  std::uint64_t held_bits_ = 0;
  int held_ = 0;
  int behind_ = 0;  // bytes
};

// One prefix code: canonical, as deflate's (RFC 1951, section 3.2.2).
class PrefixCode {
 public:
  static constexpr int kLongest = 15;  // bits

  // Reads how long the codes of the symbols below `alphabet` are. False where they are not those of
  // a whole code.
  bool ReadFrom(LowBitReader& bits, std::size_t alphabet);

  // Whether it is of one symbol, which takes no bits.
  bool is_constant() const { return symbols_.size() == 1; }
  std::uint16_t first() const { return symbols_[0]; }

  std::uint16_t Read(LowBitReader& bits) const;

 private:
  static constexpr int kTableBits = 8;  // longer codes are looked for bit by bit
  struct Entry {
    std::uint16_t symbol = 0;
    std::uint8_t length = 0;
  };

  bool Build(std::span<const std::uint8_t> lengths);
  void FillTable();

  std::array<std::uint16_t, kLongest + 1> count_{};  // how many codes there are of each length
  std::vector<std::uint16_t> symbols_;               // by length, then by value
  std::array<Entry, 1 << kTableBits> table_;
};

}  // namespace weir
