#include "stages/decode/webp/webp_codes.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "stages/decode/webp/webp_prefix_code.h"

namespace weir {
namespace {

constexpr std::size_t kLiterals = 256, kLengths = 24, kDistances = 40;
constexpr int kMostCacheBits = 11;
constexpr std::size_t kMostSets = std::size_t{1} << 16;  // their number is in red and green

// An entropy image of more blocks than this is not decoded: all sets there can be are counted.
// libwebp's encoder makes up to 2,600 blocks.
constexpr std::size_t kMostBlocks = std::size_t{1} << 16;

// The size of a set, in entries of four bytes: the lookup tables of libwebp for the codes of red,
// blue and alpha (630 each), of distance (410) and of green, which grows with the colour cache; and
// its record of a set, with 64 packed entries. (libwebp 1.2 to 1.5: src/dec/vp8l_dec.c, kTableSize;
// sizeof(HTreeGroup) is 568.)
std::size_t SetBytes(int cache_bits) {
  const std::size_t green = 656 + (std::size_t{1} << cache_bits);
  return 4 * (3 * 630 + 410 + green) + 576;
}

// A length or a distance from its prefix (RFC 9649, section 3.6.2.1).
std::size_t ReadCount(LowBitReader& bits, std::uint32_t prefix) {
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

// A picture inside the stream: a transform's, or the entropy image. (RFC 9649, section 3.6)
class SmallPicture {
 public:
  SmallPicture(int width, int height)
      : width_(width), pixels_(static_cast<std::size_t>(width) * height) {}

  // `argb`, where it is not null, becomes its pixels. False where the stream is corrupt.
  bool Read(LowBitReader& bits, std::vector<std::uint32_t>* argb) {
    const int cache_bits = bits.Read(1) ? static_cast<int>(bits.Read(4)) : 0;
    if (cache_bits > kMostCacheBits) return false;
    const std::size_t cached = cache_bits ? std::size_t{1} << cache_bits : 0;
    const std::array<std::size_t, 5> alphabets = {kLiterals + kLengths + cached, kLiterals,
                                                  kLiterals, kLiterals, kDistances};
    for (int i = 0; i < 5; ++i) {
      if (!codes_[i].ReadFrom(bits, alphabets[i])) return false;
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
  std::uint32_t Literal(LowBitReader& bits, std::uint32_t green) {
    const std::uint32_t red = codes_[1].Read(bits), blue = codes_[2].Read(bits);
    return std::uint32_t{codes_[3].Read(bits)} << 24 | red << 16 | green << 8 | blue;
  }

  void Keep(std::uint32_t argb) {
    if (!cache_.empty()) cache_[(0x1e35a7bdu * argb) >> cache_shift_] = argb;
  }

  bool ReadPixels(LowBitReader& bits, std::vector<std::uint32_t>* argb) {
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
bool ReadTransforms(LowBitReader& bits, int& width, int height, std::size_t& bytes) {
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
std::size_t ReadSets(LowBitReader& bits, const Cut& cut) {
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
  constexpr const char* kWrong = "is corrupt: its lossless codes cannot be read";
  const auto reason = [&](const LowBitReader& bits) {
    return bits.ended() ? "is truncated" : kWrong;
  };
  LowBitReader bits(file, stream.begin, stream.bytes);
  int width = stream.width;
  if (!ReadTransforms(bits, width, stream.height, bytes)) return reason(bits);
  const int cache_bits = bits.Read(1) ? static_cast<int>(bits.Read(4)) : 0;
  if (cache_bits > kMostCacheBits) return kWrong;
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
