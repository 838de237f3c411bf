// The chunks of a WebP up to its picture (RFC 9649).

#include <algorithm>
#include <array>
#include <string>

#include "stages/image_header_parsers.h"

namespace weir {
namespace {

constexpr int kMaxChunks = 500;

}  // namespace

std::string ParseWebpHeader(FileBytes& file, ImageHeader& header) {
  std::uint64_t at = 12;
  bool alpha = false;
  header.channels = 3;
  for (int i = 0; i < kMaxChunks; ++i) {
    std::array<unsigned char, 24> chunk{};
    if (!file.Read(at, chunk.data(), 8)) return "is truncated in its header";
    const std::uint32_t length = Little32(&chunk[4]);
    if (IsTag(&chunk[0], "ANMF")) {
      header.begin = at + 24;
      header.bytes = length > 16 ? std::min<std::uint64_t>(length - 16, file.size() - at) : 0;
      at += 24;
      continue;
    }
    const bool lossy = IsTag(&chunk[0], "VP8 "), lossless = IsTag(&chunk[0], "VP8L");
    if (lossy || lossless) {
      if (!file.Read(at + 8, chunk.data(), 10)) return "is truncated in its header";
      const std::uint32_t sides = Little32(&chunk[1]);
      header.width = lossy ? Little16(&chunk[6]) & 0x3fff : (sides & 0x3fff) + 1;
      header.height = lossy ? Little16(&chunk[8]) & 0x3fff : (sides >> 14 & 0x3fff) + 1;
      header.whole = lossless;
      header.held_bytes = header.bytes + (lossless ? 4 : alpha ? 5 : 0) * header.pixels();
      return "";
    }
    alpha = alpha || IsTag(&chunk[0], "ALPH");
    if (IsTag(&chunk[0], "EXIF")) header.orientation = ExifOrientation(file, at + 8);
    at += 8 + std::uint64_t{length} + (length & 1);
  }
  return "is corrupt: over " + std::to_string(kMaxChunks) + " chunks before its picture";
}

}  // namespace weir
