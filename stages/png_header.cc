// The chunks of a PNG up to its picture (W3C PNG, section 11).

#include <algorithm>
#include <array>
#include <string>

#include "stages/image_header_parsers.h"

namespace weir {
namespace {

constexpr int kMaxChunks = 500;

// What metadata that a decoder unpacks may grow to: deflate's limit is 1032 times, and the decoders
// of libvips stop at 60 MB a chunk.
std::size_t InflatedBytes(std::uint32_t length) {
  return std::min<std::size_t>(std::size_t{length} * 1032, 60 << 20);
}

}  // namespace

std::string ParsePngHeader(FileBytes& file, ImageHeader& header) {
  std::array<unsigned char, 25> ihdr;
  if (!file.Read(8, ihdr.data(), ihdr.size())) return "is truncated in its header";
  if (!IsTag(&ihdr[4], "IHDR")) return "is corrupt: it does not begin with its header";
  header.width = SideOf(Big32(&ihdr[8]));
  header.height = SideOf(Big32(&ihdr[12]));
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
    if (IsTag(&chunk[4], "IDAT")) {
      if (header.whole) header.held_bytes += header.row_bytes() * header.height;
      return "";
    }
    if (IsTag(&chunk[4], "IEND")) return "ends before its picture";
    if (length > file.size() - at) return "is truncated in its header";
    if (IsTag(&chunk[4], "tRNS")) header.channels = colour == 0 ? 2 : 4;
    if (IsTag(&chunk[4], "eXIf")) header.orientation = ExifOrientation(file, at + 8);
    const bool packed =
        IsTag(&chunk[4], "iCCP") || IsTag(&chunk[4], "zTXt") || IsTag(&chunk[4], "iTXt");
    header.held_bytes += 3 * (packed ? InflatedBytes(length) : length);
    at += 12 + std::uint64_t{length};
  }
  return "is corrupt: over " + std::to_string(kMaxChunks) + " chunks before its picture";
}

}  // namespace weir
