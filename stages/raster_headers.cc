// The headers of PNG (W3C PNG, section 11), GIF (GIF89a, sections 17 to 20), WebP (RFC 9649) and
// BMP (its DIB header).

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "stages/image_header_parsers.h"

namespace weir {
namespace {

constexpr int kMaxChunks = 500;

int Side(std::uint32_t value) {
  return static_cast<int>(std::min<std::uint32_t>(value, std::numeric_limits<int>::max()));
}

// What metadata that a decoder unpacks may grow to: deflate's limit is 1032 times, and the decoders
// of libvips stop at 60 MB a chunk.
std::size_t InflatedBytes(std::uint32_t length) {
  return std::min<std::size_t>(std::size_t{length} * 1032, 60 << 20);
}

bool Is(const unsigned char* name, const char* text) { return std::memcmp(name, text, 4) == 0; }

}  // namespace

std::string ParsePngHeader(FileBytes& file, ImageHeader& header) {
  std::array<unsigned char, 25> ihdr;
  if (!file.Read(8, ihdr.data(), ihdr.size())) return "is truncated in its header";
  if (!Is(&ihdr[4], "IHDR")) return "is corrupt: it does not begin with its header";
  header.width = Side(Big32(&ihdr[8]));
  header.height = Side(Big32(&ihdr[12]));
  header.sample_bytes = ihdr[16] > 8 ? 2 : 1;
  header.whole = ihdr[20] != 0;
  constexpr std::array<int, 7> kChannels = {1, 0, 3, 3, 2, 0, 4};
  const unsigned colour = ihdr[17];
  if (colour >= kChannels.size() || kChannels[colour] == 0) {
    return "is corrupt: colour type " + std::to_string(colour);
  }
  header.channels = kChannels[colour];
  std::uint64_t at = 8 + ihdr.size();
  for (int i = 0; i < kMaxChunks; ++i) {
    std::array<unsigned char, 8> chunk;
    if (!file.Read(at, chunk.data(), chunk.size())) return "is truncated in its header";
    const std::uint32_t length = Big32(&chunk[0]);
    if (Is(&chunk[4], "IDAT")) {
      if (header.whole) header.held_bytes += header.row_bytes() * header.height;
      return "";
    }
    if (Is(&chunk[4], "IEND")) return "ends before its picture";
    if (length > file.size() - at) return "is truncated in its header";
    if (Is(&chunk[4], "tRNS")) header.channels = colour == 0 ? 2 : 4;
    if (Is(&chunk[4], "eXIf")) header.orientation = ExifOrientation(file, at + 8);
    const bool packed = Is(&chunk[4], "iCCP") || Is(&chunk[4], "zTXt") || Is(&chunk[4], "iTXt");
    header.held_bytes += 3 * (packed ? InflatedBytes(length) : length);
    at += 12 + std::uint64_t{length};
  }
  return "is corrupt: over " + std::to_string(kMaxChunks) + " chunks before its picture";
}

std::string ParseGifHeader(FileBytes& file, ImageHeader& header) {
  std::array<unsigned char, 13> screen;
  if (!file.Read(0, screen.data(), screen.size())) return "is truncated in its header";
  header.width = static_cast<int>(Little16(&screen[6]));
  header.height = static_cast<int>(Little16(&screen[8]));
  header.channels = 4;
  std::uint64_t at = screen.size() + ((screen[10] & 0x80) ? 3u << ((screen[10] & 7) + 1) : 0);
  header.begin = 0;
  for (int i = 0; i < kMaxChunks * 100; ++i) {  // extensions in front of the frame, block by block
    std::array<unsigned char, 10> block{};
    if (!file.Read(at, block.data(), 1)) return "is truncated in its header";
    if (block[0] == 0x2c) {
      if (!file.Read(at, block.data(), block.size())) return "is truncated in its header";
      header.width = std::max<int>(header.width, Little16(&block[1]) + Little16(&block[5]));
      header.height = std::max<int>(header.height, Little16(&block[3]) + Little16(&block[7]));
      header.held_bytes = 4 * header.pixels() + file.size();
      return "";
    }
    if (block[0] == 0x3b) return "ends before its picture";
    if (block[0] != 0x21) return "is corrupt: an unknown block in its header";
    at += 2;
    do {
      if (!file.Read(at, block.data(), 1)) return "is truncated in its header";
      at += 1 + block[0];
    } while (block[0] != 0 && ++i < kMaxChunks * 100);
  }
  return "is corrupt: too many blocks before its picture";
}

std::string ParseWebpHeader(FileBytes& file, ImageHeader& header) {
  std::uint64_t at = 12;
  bool alpha = false;
  header.channels = 3;
  for (int i = 0; i < kMaxChunks; ++i) {
    std::array<unsigned char, 24> chunk{};
    if (!file.Read(at, chunk.data(), 8)) return "is truncated in its header";
    const std::uint32_t length = Little32(&chunk[4]);
    if (Is(&chunk[0], "ANMF")) {
      header.begin = at + 24;
      header.bytes = length > 16 ? std::min<std::uint64_t>(length - 16, file.size() - at) : 0;
      at += 24;
      continue;
    }
    const bool lossy = Is(&chunk[0], "VP8 "), lossless = Is(&chunk[0], "VP8L");
    if (lossy || lossless) {
      if (!file.Read(at + 8, chunk.data(), 10)) return "is truncated in its header";
      const std::uint32_t sides = Little32(&chunk[1]);
      header.width = lossy ? Little16(&chunk[6]) & 0x3fff : (sides & 0x3fff) + 1;
      header.height = lossy ? Little16(&chunk[8]) & 0x3fff : (sides >> 14 & 0x3fff) + 1;
      header.whole = lossless;
      header.held_bytes = header.bytes + (lossless ? 4 : alpha ? 5 : 0) * header.pixels();
      return "";
    }
    alpha = alpha || Is(&chunk[0], "ALPH");
    if (Is(&chunk[0], "EXIF")) header.orientation = ExifOrientation(file, at + 8);
    at += 8 + std::uint64_t{length} + (length & 1);
  }
  return "is corrupt: over " + std::to_string(kMaxChunks) + " chunks before its picture";
}

std::string ParseBmpHeader(FileBytes& file, ImageHeader& header) {
  std::array<unsigned char, 16> dib;
  if (!file.Read(14, dib.data(), dib.size())) return "is truncated in its header";
  if (Little32(&dib[0]) < 40) return "is a BMP of OS/2, which weir does not read";
  header.width = static_cast<int>(Little32(&dib[4]));
  const std::int64_t height = static_cast<std::int32_t>(Little32(&dib[8]));
  header.height = Side(static_cast<std::uint32_t>(std::abs(height)));
  header.channels = 4;
  return "";
}

}  // namespace weir
