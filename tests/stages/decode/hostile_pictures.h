// Small files that cost a decoder much: what the tests of decode draw with bits in place of a
// writer, as no writer makes them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/stages/decode/picture_chunks.h"

namespace weir {

// Bits into bytes, the lowest of each byte first (WebP).
class LowBits {
 public:
  void Write(std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i) {
      if (bits_++ % 8 == 0) bytes_.push_back('\0');
      bytes_.back() = static_cast<char>(bytes_.back() | (value >> i & 1) << ((bits_ - 1) % 8));
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t bits_ = 0;
};

// A lossless WebP of which every header field can be said, and so what its decoder allocates: all
// pixels are black, in no bits. (RFC 9649, section 3)
struct LosslessWebp {
  int width = 1;
  int height = 1;
  struct Transform {
    std::uint32_t kind = 0;  // 0: predictor, 1: cross colour, 2: subtract green, 3: palette
    // As written: the logarithm of a block's side, less 2, in 3 bits; a palette's colours, less 1.
    std::uint32_t value = 0;
  };
  std::vector<Transform> transforms{};
  int cache_bits = 0;
  // Uses all sets of prefix codes: the blocks have one after the other, and begin anew.
  std::uint32_t sets = 1;
  int block_bits = 2;  // 2 to 9: the logarithm of the side of a block

  // From behind the header on.
  std::string Stream() const {
    LowBits bits;
    Write(bits);
    return bits.bytes() + std::string(16, '\0');
  }
  std::string Chunk() const {
    LowBits bits;
    bits.Write(0x2f, 8);
    bits.Write(width - 1, 14);
    bits.Write(height - 1, 14);
    bits.Write(0, 4);  // no alpha, version 0
    Write(bits);
    return WebpChunk("VP8L", bits.bytes() + std::string(16, '\0'));
  }
  std::string File() const {
    const std::string chunk = Chunk();
    return "RIFF" + LittleBytes(4 + chunk.size(), 4) + "WEBP" + chunk;
  }

 private:
  static int Divided(int side, int bits) { return (side + (1 << bits) - 1) >> bits; }
  // Five codes of one symbol: of one colour, 0.
  static void WriteCodes(LowBits& bits) {
    for (int i = 0; i < 5; ++i) bits.Write(0b0001, 4);
  }

  void Write(LowBits& bits) const {
    int packed_width = width;
    for (const Transform& transform : transforms) {
      bits.Write(1, 1);
      bits.Write(transform.kind, 2);
      if (transform.kind == 2) continue;
      bits.Write(transform.value, transform.kind == 3 ? 8 : 3);
      if (transform.kind == 3) {
        const std::uint32_t colours = transform.value + 1;
        packed_width = Divided(width, colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3);
      }
      bits.Write(0, 1);
      WriteCodes(bits);
    }
    bits.Write(0, 1);
    bits.Write(cache_bits > 0, 1);
    if (cache_bits > 0) bits.Write(cache_bits, 4);
    bits.Write(sets > 1, 1);
    if (sets > 1) WriteSets(bits, packed_width);
    const std::uint32_t written = sets > 1 ? std::min(sets, Blocks(packed_width)) : 1;
    for (std::uint32_t i = 0; i < written; ++i) WriteCodes(bits);
  }

  std::uint32_t Blocks(int packed_width) const {
    return static_cast<std::uint32_t>(Divided(packed_width, block_bits)) *
           Divided(height, block_bits);
  }

  void WriteSets(LowBits& bits, int packed_width) const {
    bits.Write(block_bits - 2, 3);
    bits.Write(0, 1);  // without a colour cache
    // All 256 values in 8 bits each: of green among its 280 symbols, and of red.
    for (const int others : {24, 0}) {
      bits.Write(0, 1);
      bits.Write(12 - 4, 4);
      for (const int length : {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8}) {
        bits.Write(length == 0 || length == 8, 3);
      }
      bits.Write(0, 1);
      for (int i = 0; i < 256; ++i) bits.Write(1, 1);
      for (int i = 0; i < others; ++i) bits.Write(0, 1);
    }
    for (int i = 0; i < 3; ++i) bits.Write(0b0001, 4);
    const auto value = [&bits](std::uint32_t byte) {
      for (int i = 7; i >= 0; --i) bits.Write(byte >> i & 1, 1);
    };
    for (std::uint32_t i = 0; i < Blocks(packed_width); ++i) {
      value(i % sets & 255);
      value(i % sets >> 8);
    }
  }
};

// A lossy WebP with an alpha channel, which is a lossless picture inside of it.
inline std::string WebpWithAlpha(const std::string& lossy_file, const LosslessWebp& alpha) {
  const std::string chunks =
      WebpChunk("VP8X", "\x10" + std::string(3, '\0') + LittleBytes(alpha.width - 1, 3) +
                            LittleBytes(alpha.height - 1, 3)) +
      WebpChunk("ALPH", "\1" + alpha.Stream()) + lossy_file.substr(lossy_file.find("VP8 "));
  return "RIFF" + LittleBytes(4 + chunks.size(), 4) + "WEBP" + chunks;
}

inline std::string JpegSegment(int marker, const std::string& bytes) {
  return std::string("\xff") + static_cast<char>(marker) + BigBytes(bytes.size() + 2, 2) + bytes;
}

// A grey JPEG in arithmetic coding, of noise. (ITU-T T.81, annex D)
inline std::string ArithmeticJpeg(int width, int height) {
  std::string noise;
  for (int i = 0; i < 2000; ++i) noise += static_cast<char>((i * 37 + 11) % 251);
  return "\xff\xd8" + JpegSegment(0xdb, '\0' + std::string(64, '\1')) +
         JpegSegment(0xc9, "\x08" + BigBytes(height, 2) + BigBytes(width, 2) +
                               std::string("\1\1\x11\0", 4)) +
         JpegSegment(0xda, std::string("\1\1\0\0\x3f\0", 6)) + noise + "\xff\xd9";
}

// A grey progressive JPEG of one colour with so many scans, each of which passes over all
// coefficients in some bytes. (ITU-T T.81, annexes B and G)
inline std::string JpegOfScans(int width, int height, int scans) {
  // One code of one bit: a DC difference of 0, and the end of 16,384 blocks and more.
  const auto table = [](char number, char symbol) {
    return std::string{number, 1} + std::string(15, '\0') + symbol;
  };
  std::string file =
      "\xff\xd8" + JpegSegment(0xdb, '\0' + std::string(64, '\1')) +
      JpegSegment(
          0xc2, "\x08" + BigBytes(height, 2) + BigBytes(width, 2) + std::string("\1\1\x11\0", 4)) +
      JpegSegment(0xc4, table('\x00', '\x00')) + JpegSegment(0xc4, table('\x10', '\xe0')) +
      JpegSegment(0xda, std::string("\1\1\0\0\0\0", 6));
  const int blocks = ((width + 7) / 8) * ((height + 7) / 8);
  file += std::string((blocks + 7) / 8, '\0');
  std::vector<bool> bits;
  for (int left = blocks; left > 0;) {
    const int run = std::max(16384, std::min(left, 32767));
    bits.push_back(false);
    for (int i = 13; i >= 0; --i) bits.push_back((run - 16384) >> i & 1);
    left -= run;
  }
  while (bits.size() % 8 != 0) bits.push_back(true);
  std::string body;
  for (std::size_t i = 0; i < bits.size(); i += 8) {
    int byte = 0;
    for (int bit = 0; bit < 8; ++bit) byte = byte << 1 | bits[i + bit];
    body += static_cast<char>(byte);
    if (byte == 0xff) body += '\0';
  }
  for (int i = 1; i < scans; ++i)
    file += JpegSegment(0xda, "\1\1" + std::string("\0\1\x3f\x10", 4)) + body;
  return file + "\xff\xd9";
}

}  // namespace weir
