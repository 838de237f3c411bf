#include "stages/webp_codes.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

namespace weir {
namespace {

constexpr int kLongestCode = 15;  // bits (RFC 9649, section 3.7.2.1)
constexpr int kTableBits = 8;     // longer codes are looked for bit by bit
constexpr std::size_t kLiterals = 256, kLengths = 24, kDistances = 40;
constexpr int kMostCacheBits = 11;
constexpr std::size_t kMostSets = std::size_t{1} << 16;  // their number is in red and green

// An entropy image of more blocks than this is not decoded: all sets there can be are counted.
// libwebp's encoder makes up to 2,600 blocks.
constexpr std::size_t kMostBlocks = std::size_t{1} << 16;

// Of a set, in entries of four bytes: the lookup tables of libwebp for the codes of red, blue and
// alpha (630 each), of distance (410) and of green, which grows with the colour cache; and its
// record of a set, with 64 packed entries. (libwebp 1.2 to 1.5: src/dec/vp8l_dec.c, kTableSize;
// sizeof(HTreeGroup) is 568.)
std::size_t SetBytes(int cache_bits) {
  const std::size_t green = 656 + (std::size_t{1} << cache_bits);
  return 4 * (3 * 630 + 410 + green) + 576;
}

// The bits of a stream, the lowest of each byte first. Behind the end there are zeros.
class Bits {
 public:
  Bits(const FileBytes& file, const LosslessStream& stream)
      : file_(file), at_(stream.begin), end_(stream.begin + stream.bytes) {}

  // Up to 24 bits.
  std::uint32_t Peek(int count) {
    while (held_ < count) {
      held_bits_ |= std::uint64_t{NextByte()} << held_;
      held_ += 8;
    }
    return static_cast<std::uint32_t>(held_bits_ & ((std::uint64_t{1} << count) - 1));
  }
  // Bits that were looked at.
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
  // False where the lengths are not those of a whole code.
  bool Build(std::span<const std::uint8_t> lengths) {
    count_.fill(0);
    for (const std::uint8_t length : lengths) ++count_[length];
    const std::size_t coded = lengths.size() - count_[0];
    count_[0] = 0;
    std::uint32_t filled = 0;
    for (int length = 1; length <= kLongestCode; ++length) {
      filled += std::uint32_t{count_[length]} << (kLongestCode - length);
    }
    if (coded == 0 || (coded > 1 && filled != 1u << kLongestCode)) return false;
    std::array<std::uint16_t, kLongestCode + 2> next{};
    for (int length = 1; length <= kLongestCode; ++length) {
      next[length + 1] = static_cast<std::uint16_t>(next[length] + count_[length]);
    }
    symbols_.resize(coded);
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] != 0) {
        symbols_[next[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
      }
    }
    if (coded > 1) FillTable();
    return true;
  }

  // Whether it is of one symbol, which takes no bits.
  bool is_constant() const { return symbols_.size() == 1; }
  std::uint16_t first() const { return symbols_[0]; }

  std::uint16_t Read(Bits& bits) const {
    if (is_constant()) return first();
    const std::uint32_t ahead = bits.Peek(kLongestCode);
    if (const Entry entry = table_[ahead & ((1u << kTableBits) - 1)]; entry.length > 0) {
      bits.Skip(entry.length);
      return entry.symbol;
    }
    // `code` counts from the first code of this length on; `index` is the symbol of that.
    std::uint32_t code = 0, first = 0, index = 0;
    for (int length = 1; length <= kLongestCode; ++length) {
      code |= ahead >> (length - 1) & 1;
      if (code - first < count_[length]) {
        bits.Skip(length);
        return symbols_[index + code - first];
      }
      index += count_[length];
      first = (first + count_[length]) << 1;
      code <<= 1;
    }
    return 0;  // a whole code has a symbol for any bits
  }

 private:
  struct Entry {
    std::uint16_t symbol = 0;
    std::uint8_t length = 0;
  };

  void FillTable() {
    table_.fill({});
    std::uint32_t code = 0, index = 0;
    for (int length = 1; length <= kTableBits; ++length, code <<= 1) {
      for (int i = 0; i < count_[length]; ++i, ++code, ++index) {
        std::uint32_t reversed = 0;
        for (int bit = 0; bit < length; ++bit) {
          reversed |= (code >> bit & 1) << (length - 1 - bit);
        }
        for (std::uint32_t at = reversed; at < table_.size(); at += 1u << length) {
          table_[at] = {symbols_[index], static_cast<std::uint8_t>(length)};
        }
      }
    }
  }

  std::array<std::uint16_t, kLongestCode + 1> count_{};  // of the codes of each length
  std::vector<std::uint16_t> symbols_;                   // by length, then by value
  std::array<Entry, 1 << kTableBits> table_;
};

// RFC 9649, section 3.7.2.1.
bool ReadCode(Bits& bits, std::size_t alphabet, PrefixCode& code) {
  std::vector<std::uint8_t> lengths(std::max(alphabet, kLiterals));
  const std::span<const std::uint8_t> of_alphabet = std::span(lengths).first(alphabet);
  if (bits.Read(1)) {
    const bool two = bits.Read(1) != 0;
    lengths[bits.Read(bits.Read(1) ? 8 : 1)] = 1;
    if (two) lengths[bits.Read(8)] = 1;
    return code.Build(of_alphabet);
  }
  constexpr std::array<int, 19> kOrder = {17, 18, 0, 1,  2,  3,  4,  5,  16, 6,
                                          7,  8,  9, 10, 11, 12, 13, 14, 15};
  std::array<std::uint8_t, 19> code_lengths{};
  const std::size_t said = bits.Read(4) + 4;
  if (said > kOrder.size()) return false;
  for (std::size_t i = 0; i < said; ++i) {
    code_lengths[kOrder[i]] = static_cast<std::uint8_t>(bits.Read(3));
  }
  PrefixCode length_code;
  if (!length_code.Build(code_lengths)) return false;
  std::size_t left = alphabet;
  if (bits.Read(1)) {
    left = 2 + bits.Read(2 + 2 * static_cast<int>(bits.Read(3)));
    if (left > alphabet) return false;
  }
  std::uint8_t before = 8;
  for (std::size_t symbol = 0; symbol < alphabet && left > 0; --left) {
    const std::uint16_t said_length = length_code.Read(bits);
    if (said_length < 16) {
      lengths[symbol++] = static_cast<std::uint8_t>(said_length);
      if (said_length != 0) before = static_cast<std::uint8_t>(said_length);
      continue;
    }
    const std::size_t times = said_length == 16   ? 3 + bits.Read(2)
                              : said_length == 17 ? 3 + bits.Read(3)
                                                  : 11 + bits.Read(7);
    if (symbol + times > alphabet) return false;
    std::fill_n(lengths.begin() + symbol, times, said_length == 16 ? before : std::uint8_t{0});
    symbol += times;
  }
  return code.Build(of_alphabet);
}

// A length or a distance from its prefix (RFC 9649, section 3.6.2.1).
std::size_t ReadCount(Bits& bits, std::uint32_t prefix) {
  if (prefix < 4) return prefix + 1;
  const int extra = static_cast<int>(prefix - 2) >> 1;
  const std::size_t offset = std::size_t{2 + (prefix & 1)} << extra;
  return offset + bits.Read(extra) + 1;
}

// The 120 nearest pixels to the left and above, which have distance codes of their own, the nearest
// first (RFC 9649, section 3.6.2.2): x to the left, y up.
struct Near {
  int x = 0, y = 0;
};
std::array<Near, 120> NearPixels() {
  std::array<Near, 120> near;
  std::size_t count = 0;
  for (int y = 0; y <= 7; ++y) {
    for (int x = y == 0 ? 1 : -7; x <= 8; ++x) near[count++] = {x, y};
  }
  std::sort(near.begin(), near.end(), [](const Near& a, const Near& b) {
    const auto key = [](const Near& p) {
      return std::array{p.x * p.x + p.y * p.y, std::abs(p.x), -p.x};
    };
    return key(a) < key(b);
  });
  return near;
}

std::size_t Distance(std::size_t code, int width) {
  static const std::array<Near, 120> near = NearPixels();
  if (code > near.size()) return code - near.size();
  const Near& pixel = near[code - 1];
  return static_cast<std::size_t>(std::max(1, pixel.y * width + pixel.x));
}

// A picture inside the stream: of a transform, or the entropy image. (RFC 9649, section 3.6)
class SmallPicture {
 public:
  SmallPicture(int width, int height)
      : width_(width), pixels_(static_cast<std::size_t>(width) * height) {}

  // `argb`, where it is not null, becomes its pixels. False where the stream is corrupt.
  bool Read(Bits& bits, std::vector<std::uint32_t>* argb) {
    const int cache_bits = bits.Read(1) ? static_cast<int>(bits.Read(4)) : 0;
    if (cache_bits > kMostCacheBits) return false;
    const std::size_t cached = cache_bits ? std::size_t{1} << cache_bits : 0;
    const std::array<std::size_t, 5> alphabets = {kLiterals + kLengths + cached, kLiterals,
                                                  kLiterals, kLiterals, kDistances};
    for (int i = 0; i < 5; ++i) {
      if (!ReadCode(bits, alphabets[i], codes_[i])) return false;
    }
    const bool one_colour = codes_[0].is_constant() && codes_[0].first() < kLiterals &&
                            codes_[1].is_constant() && codes_[2].is_constant() &&
                            codes_[3].is_constant();
    if (one_colour) {
      if (argb) argb->assign(pixels_, Literal(bits, codes_[0].first()));
      return true;
    }
    cache_.assign(cached, 0);
    cache_shift_ = 32 - cache_bits;
    if (argb) argb->reserve(pixels_);
    return ReadPixels(bits, argb);
  }

 private:
  std::uint32_t Literal(Bits& bits, std::uint32_t green) {
    const std::uint32_t red = codes_[1].Read(bits), blue = codes_[2].Read(bits);
    return std::uint32_t{codes_[3].Read(bits)} << 24 | red << 16 | green << 8 | blue;
  }

  void Keep(std::uint32_t argb) {
    if (!cache_.empty()) cache_[(0x1e35a7bdu * argb) >> cache_shift_] = argb;
  }

  bool ReadPixels(Bits& bits, std::vector<std::uint32_t>* argb) {
    for (std::size_t at = 0; at < pixels_;) {
      if (bits.ended()) return false;
      const std::uint32_t green = codes_[0].Read(bits);
      if (green >= kLiterals && green < kLiterals + kLengths) {
        const std::size_t length = ReadCount(bits, green - kLiterals);
        const std::size_t back = Distance(ReadCount(bits, codes_[4].Read(bits)), width_);
        if (back > at || length > pixels_ - at) return false;
        at += length;
        for (std::size_t i = 0; argb && i < length; ++i) Add(*argb, (*argb)[argb->size() - back]);
        continue;
      }
      ++at;
      const std::uint32_t colour =
          green < kLiterals ? Literal(bits, green) : cache_[green - kLiterals - kLengths];
      if (argb) Add(*argb, colour);
    }
    return true;
  }

  void Add(std::vector<std::uint32_t>& argb, std::uint32_t colour) {
    argb.push_back(colour);
    Keep(colour);
  }

  const int width_;
  const std::size_t pixels_;
  std::array<PrefixCode, 5> codes_;  // green, lengths and cache; red; blue; alpha; distances
  std::vector<std::uint32_t> cache_;
  int cache_shift_ = 0;
};

int Divided(int side, int bits) { return (side + (1 << bits) - 1) >> bits; }

struct Cut {
  int width = 0, height = 0;
  std::size_t pixels() const { return static_cast<std::size_t>(width) * height; }
};

// Reads the transforms; `width` becomes that of the packed picture. False where they are corrupt.
bool ReadTransforms(Bits& bits, int& width, int height, std::size_t& bytes) {
  enum Transform : std::uint32_t { kPredictor = 0, kCrossColour = 1, kNoGreen = 2, kPalette = 3 };
  for (unsigned seen = 0; bits.Read(1);) {
    const std::uint32_t transform = bits.Read(2);
    if (seen & 1u << transform) return false;
    seen |= 1u << transform;
    if (transform == kNoGreen) continue;
    Cut cut;
    if (transform == kPalette) {
      const int colours = static_cast<int>(bits.Read(8)) + 1;
      cut = {colours, 1};
      width = Divided(width, colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3);
      bytes += 4 * kLiterals;  // the palette is kept filled up
    } else {
      const int block_bits = static_cast<int>(bits.Read(3)) + 2;
      cut = {Divided(width, block_bits), Divided(height, block_bits)};
    }
    bytes += 4 * cut.pixels();
    if (!SmallPicture(cut.width, cut.height).Read(bits, nullptr)) return false;
  }
  return true;
}

// How many sets of codes the entropy image speaks of; 0 where it is corrupt.
std::size_t ReadSets(Bits& bits, const Cut& cut) {
  if (cut.pixels() > kMostBlocks) return kMostSets;
  std::vector<std::uint32_t> blocks;
  if (!SmallPicture(cut.width, cut.height).Read(bits, &blocks)) return 0;
  std::size_t most = 0;
  for (const std::uint32_t block : blocks) {
    most = std::max<std::size_t>(most, block >> 8 & (kMostSets - 1));
  }
  return most + 1;
}

}  // namespace

std::string CountLosslessCodes(FileBytes& file, const LosslessStream& stream, std::size_t& bytes) {
  const std::string wrong = "is corrupt: its lossless codes cannot be read";
  const auto reason = [&](const Bits& bits) { return bits.ended() ? "is truncated" : wrong; };
  Bits bits(file, stream);
  int width = stream.width;
  if (!ReadTransforms(bits, width, stream.height, bytes)) return reason(bits);
  const int cache_bits = bits.Read(1) ? static_cast<int>(bits.Read(4)) : 0;
  if (cache_bits > kMostCacheBits) return wrong;
  std::size_t sets = 1;
  if (bits.Read(1)) {
    const int block_bits = static_cast<int>(bits.Read(3)) + 2;
    const Cut cut = {Divided(width, block_bits), Divided(stream.height, block_bits)};
    bytes += 4 * cut.pixels();
    sets = ReadSets(bits, cut);
  }
  if (sets == 0 || bits.ended()) return reason(bits);
  bytes += sets * SetBytes(cache_bits) + 4 * kMostSets;  // and which of them are used
  return "";
}

}  // namespace weir
