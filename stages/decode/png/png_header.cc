#include "stages/decode/png/png_header.h"

#include <algorithm>
#include <array>
#include <string>

#include "stages/decode/picture/byte_order.h"
#include "stages/decode/picture/orientation.h"
#include "stages/decode/png/png_text.h"

namespace weir {
namespace {

constexpr int kMaxChunks = 500;
constexpr int kMaxChunksBehind = 1 << 14;  // no more are looked at

// What metadata that a decoder unpacks may grow to: deflate's limit is 1032 times, and the decoders
// of libvips stop at 60 MB a chunk.
std::size_t InflatedBytes(std::uint32_t length) {
  return std::min<std::size_t>(std::size_t{length} * 1032, 60 << 20);
}

bool IsText(const unsigned char* tag) {
  return IsTag(tag, "tEXt") || IsTag(tag, "zTXt") || IsTag(tag, "iTXt");
}

// Looks for the orientation in a chunk whose data begin at `begin`. ImageMagick's text stands for a
// chunk eXIf that is not there.
void LookAtChunk(FileBytes& file, const unsigned char* tag, std::uint64_t begin,
                 std::uint64_t length, FoundOrientation& found) {
  if (IsTag(tag, "eXIf")) {
    if (!found.exif) found.exif = OrientationInExif(file, begin, length);
  } else if (IsText(tag)) {
    const PngText text = FindPngText(file, reinterpret_cast<const char*>(tag), begin, length);
    if (text.keyword == "Raw profile type exif" && !found.exif) {
      found.exif = OrientationInRawProfile(ReadPngText(file, text));
    } else if (text.keyword == "XML:com.adobe.xmp" && !found.xmp) {
      found.xmp = OrientationInXmp(ReadPngText(file, text));
    }
  }
}

struct Chunk {
  std::uint64_t at = 0;  // where its length is, in the file
  std::uint32_t length = 0;
  std::array<unsigned char, 4> tag{};

  std::uint64_t end() const { return at + 12 + length; }
  bool Is(const char* name) const { return IsTag(tag.data(), name); }
};

// False at the end of the file.
bool ReadChunk(const FileBytes& file, std::uint64_t at, Chunk& chunk) {
  std::array<unsigned char, 8> head;
  if (file.ReadSome(at, head.data(), head.size()) != head.size()) return false;
  chunk.at = at;
  chunk.length = Big32(&head[0]);
  std::copy_n(&head[4], 4, chunk.tag.begin());
  return true;
}

// Moves `chunk` from an IDAT to the last that follows it with the same length. Writers cut the
// pixels into chunks of one length, a large picture into thousands, and nothing may stand between
// them: so where one stands `many` lengths further on, those before need not be looked at. `many`
// doubles as long as that is so, and then halves.
void PassAlikeChunks(const FileBytes& file, Chunk& chunk, int& looks) {
  Chunk further;
  bool doubling = true;
  for (std::uint64_t many = 1; many > 0 && looks > 0; --looks) {
    const bool alike = ReadChunk(file, chunk.at + many * (chunk.end() - chunk.at), further) &&
                       further.Is("IDAT") && further.length == chunk.length;
    doubling = doubling && alike;
    if (alike) chunk = further;
    many = doubling ? 2 * many : many / 2;
  }
}

// Goes from chunk to chunk by their lengths, without reading the pixels.
void LookBehindThePicture(FileBytes& file, std::uint64_t at, FoundOrientation& found) {
  Chunk chunk;
  for (int looks = kMaxChunksBehind; looks > 0 && !found.exif; --looks) {
    if (!ReadChunk(file, at, chunk) || chunk.Is("IEND")) return;
    if (chunk.Is("IDAT")) {
      PassAlikeChunks(file, chunk, looks);
    } else {
      LookAtChunk(file, chunk.tag.data(), chunk.at + 8, chunk.length, found);
    }
    at = chunk.end();
  }
}

}  // namespace

std::string ParsePngHeader(FileBytes& file, ImageHeader& header) {
  std::array<unsigned char, 25> ihdr;
  if (!file.Read(8, ihdr.data(), ihdr.size())) return "is truncated in its header";
  if (IsTag(&ihdr[4], "CgBI")) return "is a PNG of Apple's own kind, which weir does not read";
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
  FoundOrientation found;
  std::uint64_t at = 8 + ihdr.size();
  for (int i = 0; i < kMaxChunks; ++i) {
    std::array<unsigned char, 8> chunk;
    if (!file.Read(at, chunk.data(), chunk.size())) return "is truncated in its header";
    const std::uint32_t length = Big32(&chunk[0]);
    if (IsTag(&chunk[4], "IDAT")) {
      if (header.whole) header.held_bytes += header.row_bytes() * header.height;
      LookBehindThePicture(file, at, found);
      header.orientation = found.value();
      return "";
    }
    if (IsTag(&chunk[4], "IEND")) return "ends before its picture";
    if (length > file.size() - at) return "is truncated in its header";
    if (IsTag(&chunk[4], "tRNS")) header.channels = colour == 0 ? 2 : 4;
    LookAtChunk(file, &chunk[4], at + 8, length, found);
    const bool packed =
        IsTag(&chunk[4], "iCCP") || IsTag(&chunk[4], "zTXt") || IsTag(&chunk[4], "iTXt");
    // The read buffer, the text, what libvips keeps of it, and that again where it is copied.
    header.held_bytes += 4 * (packed ? InflatedBytes(length) : length);
    at += 12 + std::uint64_t{length};
  }
  return "is corrupt: over " + std::to_string(kMaxChunks) + " chunks before its picture";
}

}  // namespace weir
