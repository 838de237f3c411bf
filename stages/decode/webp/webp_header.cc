#include "stages/decode/webp/webp_header.h"

#include <algorithm>
#include <array>
#include <string>

#include "stages/decode/picture/byte_order.h"
#include "stages/decode/picture/orientation.h"
#include "stages/decode/webp/webp_codes.h"

namespace weir {
namespace {

constexpr int kMaxChunks = 500;
constexpr int kMaxChunksBehind = 1 << 14;  // frames of an animation, and metadata

constexpr unsigned kHasXmp = 0x04, kHasExif = 0x08;  // among the flags of VP8X

// What is known while the chunks are read.
struct Webp {
  bool alpha = false;
  LosslessStream codes;  // the alpha channel's, or a lossless picture's
  unsigned flags = 0;    // those of VP8X
  int canvas_width = 0;  // 0 where there is no VP8X
  int canvas_height = 0;
  bool animated = false;
  std::uint64_t frame_end = 0;  // where an animation's first frame ends
  FoundOrientation found;
};

std::uint64_t ChunkBytes(std::uint64_t length) { return 8 + length + (length & 1); }

// A chunk of metadata. The flags say which there are, and the first of a kind counts.
void LookAtMetadata(FileBytes& file, const unsigned char* tag, std::uint64_t begin,
                    std::uint64_t length, Webp& webp) {
  FoundOrientation& found = webp.found;
  if (IsTag(tag, "EXIF") && (webp.flags & kHasExif) && !found.exif) {
    found.exif = OrientationInExif(file, begin, length);
    webp.flags &= ~kHasExif;
  } else if (IsTag(tag, "XMP ") && (webp.flags & kHasXmp)) {
    found.xmp = OrientationInXmp(file, begin, length);
    webp.flags &= ~kHasXmp;
  }
}

// Goes from chunk to chunk by their lengths, without reading the pixels, as long as there is
// something to be found.
void LookBehindThePicture(FileBytes& file, std::uint64_t at, Webp& webp) {
  std::array<unsigned char, 8> chunk;
  if (!file.Read(4, chunk.data(), 4)) return;
  const std::uint64_t end = 8 + std::uint64_t{Little32(chunk.data())};
  for (int i = 0; i < kMaxChunksBehind && at < end; ++i) {
    if (webp.found.exif || !(webp.flags & (kHasExif | kHasXmp))) return;
    if (file.ReadSome(at, chunk.data(), chunk.size()) != chunk.size()) return;
    const std::uint32_t length = Little32(&chunk[4]);
    LookAtMetadata(file, &chunk[0], at + 8, length, webp);
    at += ChunkBytes(length);
  }
}

// `chunk` begins with "ANMF".
void ParseFrame(const unsigned char* chunk, ImageHeader& header) {
  header.frame.left = 2 * static_cast<int>(Little24(&chunk[8]));
  header.frame.top = 2 * static_cast<int>(Little24(&chunk[11]));
  header.frame.width = 1 + static_cast<int>(Little24(&chunk[14]));
  header.frame.height = 1 + static_cast<int>(Little24(&chunk[17]));
}

// The picture of an animation is its canvas. A frame that does not cover it takes a row beside its
// pixels while it is laid onto the canvas.
std::string PlaceFrame(const Webp& webp, ImageHeader& header) {
  ImageFrame& frame = header.frame;
  if (!webp.animated) {
    frame = {0, 0, header.width, header.height};
    return "";
  }
  if (frame.width != header.width || frame.height != header.height) {
    return "is corrupt: its first frame has two sizes";
  }
  header.width = webp.canvas_width;
  header.height = webp.canvas_height;
  if (frame.left + frame.width > header.width || frame.top + frame.height > header.height) {
    return "is corrupt: its first frame lies outside of its canvas";
  }
  if (!header.frame_covers()) {
    header.held_bytes += 3 * std::size_t(header.width);
  }
  return "";
}

}  // namespace

std::string ParseWebpHeader(FileBytes& file, ImageHeader& header) {
  Webp webp;
  std::uint64_t at = 12;
  header.channels = 3;
  for (int i = 0; i < kMaxChunks; ++i) {
    std::array<unsigned char, 24> chunk{};
    if (!file.Read(at, chunk.data(), 8)) return "is truncated in its header";
    const std::uint32_t length = Little32(&chunk[4]);
    if (i == 0 && IsTag(&chunk[0], "VP8X")) {
      if (!file.Read(at, chunk.data(), 18)) return "is truncated in its header";
      webp.flags = chunk[8];
      webp.canvas_width = 1 + static_cast<int>(Little24(&chunk[12]));
      webp.canvas_height = 1 + static_cast<int>(Little24(&chunk[15]));
    }
    if (IsTag(&chunk[0], "ANMF")) {
      if (!file.Read(at, chunk.data(), 24)) return "is truncated in its header";
      webp.animated = true;
      webp.frame_end = at + ChunkBytes(length);
      ParseFrame(chunk.data(), header);
      header.begin = at + 24;
      header.bytes = length > 16 ? std::min<std::uint64_t>(length - 16, file.size() - at) : 0;
      at += 24;
      continue;
    }
    const bool lossy = IsTag(&chunk[0], "VP8 "), lossless = IsTag(&chunk[0], "VP8L");
    if (lossy || lossless) {
      if (!file.Read(at + 8, chunk.data(), lossy ? 10 : 5)) return "is truncated in its header";
      const std::uint32_t sides = Little32(&chunk[1]);
      const auto side = [](std::uint32_t bits) { return static_cast<int>(bits & 0x3fff); };
      header.width = lossy ? side(Little16(&chunk[6])) : side(sides) + 1;
      header.height = lossy ? side(Little16(&chunk[8])) : side(sides >> 14) + 1;
      header.whole = lossless;
      if (lossless && (sides >> 28 & 1)) header.channels = 4;  // alpha_is_used
      header.held_bytes = header.bytes + (lossless ? 4 : webp.alpha ? 5 : 0) * header.pixels();
      LosslessStream& codes = webp.codes;
      if (lossless && length > 5) codes = {.begin = at + 13, .bytes = length - 5};
      if (codes.bytes > 0) {
        codes.width = header.width;
        codes.height = header.height;
        std::string wrong = CountLosslessCodes(file, codes, header.held_bytes);
        if (!wrong.empty()) return wrong;
      }
      LookBehindThePicture(file, webp.animated ? webp.frame_end : at + ChunkBytes(length), webp);
      header.orientation = webp.found.value();
      return PlaceFrame(webp, header);
    }
    if (IsTag(&chunk[0], "ALPH")) {
      webp.alpha = true;
      webp.codes = {};
      const bool packed = length > 1 && file.Read(at + 8, &chunk[8], 1) &&
                          (chunk[8] & 3) == 1;  // RFC 9649, section 2.7.1.2
      if (packed) webp.codes = {.begin = at + 9, .bytes = length - 1};
    }
    LookAtMetadata(file, &chunk[0], at + 8, length, webp);
    at += ChunkBytes(length);
  }
  return "is corrupt: over " + std::to_string(kMaxChunks) + " chunks before its picture";
}

}  // namespace weir
