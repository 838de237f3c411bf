#include "stages/decode/bmp/bmp_header.h"

#include <algorithm>
#include <cstdlib>

#include "stages/decode/picture/byte_order.h"

namespace weir {
namespace {

constexpr std::uint32_t kFileHeaderBytes = 14;
constexpr std::uint32_t kCoreBytes = 12;  // as Windows 2 and OS/2 1 write it
constexpr std::uint32_t kInfoBytes = 40;  // Windows 3's; all later ones begin with it

enum Compression : std::uint32_t {
  kNone = 0,
  kRle8 = 1,
  kRle4 = 2,
  kBitFields = 3,  // in OS/2: Huffman codes
  kJpeg = 4,       // in OS/2: RLE of 24 bits
  kPng = 5,
  kAlphaBitFields = 6,  // with a fourth mask
};

// OS/2 2 has headers of 16 to 64 bytes: what lies behind the end is 0.
bool IsOs2(std::uint32_t dib_bytes) {
  return dib_bytes >= 16 && dib_bytes <= 64 && dib_bytes != kInfoBytes && dib_bytes != 52 &&
         dib_bytes != 56;
}

bool IsHeader(std::uint32_t dib_bytes) {
  return dib_bytes == kCoreBytes || (dib_bytes >= 16 && dib_bytes <= 64) || dib_bytes == 108 ||
         dib_bytes == 124;
}

std::string ReadPacking(std::uint32_t compression, bool os2, BmpHeader& header) {
  const std::string unread = ", which weir does not read";
  switch (compression) {
    case kNone:
    case kAlphaBitFields:
      return "";
    case kRle8:
    case kRle4:
      header.packing = compression == kRle8 ? BmpPacking::kRle8 : BmpPacking::kRle4;
      if (header.bits != (compression == kRle8 ? 8 : 4)) {
        return "is corrupt: run lengths of " + std::to_string(header.bits) + "-bit pixels";
      }
      return "";
    case kBitFields:
      return os2 && header.bits == 1 ? "is a BMP of OS/2's Huffman codes" + unread : "";
    case kJpeg:
      return (os2 ? "is a BMP of OS/2's 24-bit run lengths" : "is a BMP that holds a JPEG") +
             unread;
    case kPng:
      return "is a BMP that holds a PNG" + unread;
    default:
      return "is a BMP of compression " + std::to_string(compression) + unread;
  }
}

// The colours at `at`, of `entry_bytes` each: blue first. They end where the pixels begin.
bool ReadPalette(FileBytes& file, std::uint64_t at, std::uint32_t entry_bytes, std::uint32_t count,
                 BmpHeader& header) {
  count = std::min({count, 1u << header.bits,
                    static_cast<std::uint32_t>(
                        std::min<std::uint64_t>((header.pixels_at - at) / entry_bytes, 256))});
  for (std::uint32_t i = 0; i < count; ++i) {
    std::array<unsigned char, 4> colour;
    if (!file.Read(at + std::uint64_t{i} * entry_bytes, colour.data(), entry_bytes)) return false;
    for (int k = 0; k < 3; ++k) header.palette[3 * i + k] = colour[2 - k];
  }
  return true;
}

}  // namespace

bool IsBmp(const FirstBytes& start) {
  return start[0] == 'B' && start[1] == 'M' && IsHeader(Little16(&start[kFileHeaderBytes]));
}

std::string ReadBmpHeader(FileBytes& file, BmpHeader& header) {
  constexpr const char* kTruncated = "is truncated in its header";
  std::array<unsigned char, kFileHeaderBytes + 4> start;
  if (!file.Read(0, start.data(), start.size())) return kTruncated;
  header.pixels_at = Little32(&start[10]);
  const std::uint32_t dib_bytes = Little32(&start[kFileHeaderBytes]);
  if (!IsHeader(dib_bytes)) {
    return "is corrupt: a BMP header of " + std::to_string(dib_bytes) + " bytes";
  }
  std::array<unsigned char, kInfoBytes> dib{};
  if (!file.Read(kFileHeaderBytes, dib.data(), std::min(dib_bytes, kInfoBytes))) return kTruncated;

  std::uint32_t compression = kNone, colours = 0, entry_bytes = 4;
  if (dib_bytes == kCoreBytes) {
    header.width = static_cast<int>(Little16(&dib[4]));
    header.height = static_cast<int>(Little16(&dib[6]));
    header.bits = static_cast<int>(Little16(&dib[10]));
    entry_bytes = 3;
  } else {
    const std::int64_t height = static_cast<std::int32_t>(Little32(&dib[8]));
    header.width = static_cast<int>(Little32(&dib[4]));
    header.height = SideOf(static_cast<std::uint32_t>(std::abs(height)));
    header.bottom_up = height > 0;
    header.bits = static_cast<int>(Little16(&dib[14]));
    compression = Little32(&dib[16]);
    colours = Little32(&dib[32]);
  }
  if (std::string wrong = ReadPacking(compression, IsOs2(dib_bytes), header); !wrong.empty()) {
    return wrong;
  }
  constexpr std::array<int, 7> kDepths = {1, 2, 4, 8, 16, 24, 32};
  if (std::find(kDepths.begin(), kDepths.end(), header.bits) == kDepths.end()) {
    return "is corrupt: " + std::to_string(header.bits) + " bits a pixel";
  }

  // The masks lie at the same place in the later headers and behind the first one that has any.
  std::uint64_t end = kFileHeaderBytes + dib_bytes;
  header.masks = header.bits == 16 ? std::array<std::uint32_t, 3>{0x7c00, 0x03e0, 0x001f}
                                   : std::array<std::uint32_t, 3>{0xff0000, 0xff00, 0xff};
  if (compression == kBitFields || compression == kAlphaBitFields) {
    std::array<unsigned char, 12> masks;
    if (!file.Read(kFileHeaderBytes + kInfoBytes, masks.data(), masks.size())) return kTruncated;
    const auto mask = [&masks](std::size_t i) { return Little32(&masks[4 * i]); };
    if (mask(0) || mask(1) || mask(2)) header.masks = {mask(0), mask(1), mask(2)};
    if (dib_bytes == kInfoBytes) end += compression == kBitFields ? 12 : 16;
  }

  // An offset that lies in the header is wrong, and not rare: the pixels follow the palette then.
  if (header.bits <= 8 && colours == 0) colours = 1u << header.bits;
  const std::uint64_t palette_end = end + std::uint64_t{colours} * entry_bytes;
  if (header.pixels_at < end || (header.pixels_at == end && header.bits <= 8)) {
    header.pixels_at = palette_end;
  }
  if (header.bits <= 8 && !ReadPalette(file, end, entry_bytes, colours, header)) return kTruncated;
  return "";
}

std::string ParseBmpHeader(FileBytes& file, ImageHeader& header) {
  BmpHeader bmp;
  if (std::string wrong = ReadBmpHeader(file, bmp); !wrong.empty()) return wrong;
  header.width = bmp.width;
  header.height = bmp.height;
  header.channels = 3;
  return "";
}

}  // namespace weir
