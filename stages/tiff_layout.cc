#include "stages/tiff_layout.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <span>
#include <string_view>

#include "stages/image_header_parsers.h"
#include "stages/tiff_directory.h"

namespace weir {
namespace {

enum Tag : std::uint32_t {
  kImageWidth = 256,
  kImageLength = 257,
  kBitsPerSample = 258,
  kCompression = 259,
  kPhotometric = 262,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kRowsPerStrip = 278,
  kStripByteCounts = 279,
  kPlanarConfig = 284,
  kTileWidth = 322,
  kTileLength = 323,
  kTileOffsets = 324,
  kTileByteCounts = 325,
  kInkSet = 332,
  kExtraSamples = 338,
  kSampleFormat = 339,
};

constexpr std::uint64_t kMaxTileSide = 10000;
constexpr std::uint64_t kMaxPieces = 1'000'000;  // libtiff allocates lists of no more

// A picture of a few pixels in tiles of usual sides is decoded as whole tiles.
constexpr std::uint64_t kMostPadding = 16;
constexpr std::uint64_t kAlwaysPixels = 1 << 24;

struct Named {
  std::uint32_t value;
  std::string_view name;
};
constexpr Named kRefusedCompressions[] = {
    {6, "the old JPEG"},    {34661, "JBIG"},      {34676, "SGI LogLuv"}, {34677, "SGI LogLuv"},
    {34712, "JPEG 2000"},   {33003, "JPEG 2000"}, {33005, "JPEG 2000"},  {34887, "LERC"},
    {34925, "LZMA"},        {50001, "WebP"},      {50002, "JPEG XL"},    {52546, "JPEG XL"},
    {32809, "ThunderScan"}, {32766, "NeXT"},      {32909, "Pixar"},
};
constexpr std::array<std::uint32_t, 11> kCompressions = {
    kTiffNone, 2, 3, 4, 5, kTiffJpeg, 8, 32771, 32773, 32946, kTiffZstandard};

constexpr Named kRefusedColours[] = {{4, "mask"},
                                     {8, "CIE L*a*b*"},
                                     {9, "ICC L*a*b*"},
                                     {10, "ITU L*a*b*"},
                                     {32803, "colour filter"},
                                     {32844, "LogL"},
                                     {32845, "LogLuv"},
                                     {34892, "raw"}};

using Entries = std::map<std::uint32_t, TiffEntry>;  // a tag's first entry, as in libtiff

std::uint64_t ValueOf(const Entries& entries, Tag tag, std::uint64_t otherwise) {
  const auto found = entries.find(tag);
  return found == entries.end() ? otherwise : found->second.first;
}

std::uint32_t Small(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, 0xffffffff));
}

// What libtiff makes of an entry: its bytes as they are, and converted; of strips and tiles a list
// of 64-bit numbers, and of what it has no name for a description.
std::uint64_t EntryBytes(const TiffEntry& entry) {
  constexpr std::uint64_t kDescription = 512;
  const bool list = entry.tag == kStripOffsets || entry.tag == kStripByteCounts ||
                    entry.tag == kTileOffsets || entry.tag == kTileByteCounts;
  return kDescription + 3 * entry.value_bytes + (list ? 16 * entry.count : 0);
}

std::string ReadEntries(FileBytes& file, TiffDirectory& directory, Entries& entries,
                        TiffLayout& layout) {
  if (!directory.Open()) return "is truncated in its header";
  if (directory.entries() > TiffDirectory::kMostEntries) {
    return "is corrupt: " + std::to_string(directory.entries()) + " entries in its header";
  }
  while (const auto entry = directory.Next()) {
    if (entry->value_bytes > file.size()) {
      return "is corrupt: tag " + std::to_string(entry->tag) + " is longer than the file";
    }
    layout.directory_bytes += EntryBytes(*entry);
    entries.emplace(entry->tag, *entry);
  }
  return "";
}

std::string NameIn(std::span<const Named> names, std::uint32_t value) {
  for (const Named& named : names) {
    if (named.value == value) return std::string(named.name);
  }
  return "";
}

std::string CompressionWrong(const TiffLayout& layout) {
  if (const std::string name = NameIn(kRefusedCompressions, layout.compression); !name.empty()) {
    return "is compressed by " + name +
           ", which weir does not read in a TIFF; save it with LZW or Deflate";
  }
  if (std::find(kCompressions.begin(), kCompressions.end(), layout.compression) ==
      kCompressions.end()) {
    return "has compression " + std::to_string(layout.compression) + ", which weir does not know";
  }
  if (layout.compression == kTiffJpeg && layout.bits != 8) {
    return "has JPEG strips of " + std::to_string(layout.bits) + "-bit samples";
  }
  return "";
}

std::string SamplesWrong(const TiffLayout& layout, std::uint64_t format) {
  if (layout.samples < 1 || layout.samples > 5) {
    return "has " + std::to_string(layout.samples) + " channels";
  }
  constexpr std::array<std::uint32_t, 6> kBits = {1, 2, 4, 8, 12, 16};
  if (std::find(kBits.begin(), kBits.end(), layout.bits) == kBits.end()) {
    return "has " + std::to_string(layout.bits) + "-bit samples";
  }
  if (format == 2) return "has signed samples, whose black is not known";
  if (format == 3) return "has floating-point samples, whose range is not known";
  if (format == 5 || format == 6) return "has complex samples";
  return "";
}

std::string ColourWrong(const TiffLayout& layout, std::uint64_t ink_set) {
  const auto too_few = [&](const char* kind, std::uint32_t least) {
    return layout.samples < least ? std::string("is corrupt: ") + kind + " of " +
                                        std::to_string(layout.samples) + " channels"
                                  : "";
  };
  switch (layout.colour) {
    case kTiffWhiteIsZero:
    case kTiffBlackIsZero:
      if (layout.samples <= 2) return "";
      return "has grey of " + std::to_string(layout.samples) + " channels";
    case kTiffRgb:
      return too_few("RGB", 3);
    case kTiffPalette:
      if (layout.bits <= 8) return "";
      return "has a palette of " + std::to_string(layout.bits) + "-bit numbers";
    case kTiffInks:
      if (ink_set != 1) return "has inks that are not cyan, magenta, yellow and black";
      return too_few("CMYK", 4);
    case kTiffYcbcr:
      if (layout.bits != 8) return "has YCbCr of " + std::to_string(layout.bits) + "-bit samples";
      if (layout.samples != 3) {
        return "has YCbCr of " + std::to_string(layout.samples) + " channels";
      }
      if (layout.planar && layout.compression == kTiffJpeg) return "has JPEG planes of YCbCr";
      return "";
    default:
      const std::string name = NameIn(kRefusedColours, layout.colour);
      return "has " + (name.empty() ? "photometric " + std::to_string(layout.colour) : name) +
             " colours; weir reads grey, RGB, palettes, CMYK and YCbCr in a TIFF";
  }
}

std::string PiecesWrong(const TiffLayout& layout) {
  const std::string sides =
      std::to_string(layout.piece_width) + "x" + std::to_string(layout.piece_height) + " pixels";
  if (layout.tiled) {
    if (layout.piece_width == 0 || layout.piece_height == 0 || layout.piece_width > kMaxTileSide ||
        layout.piece_height > kMaxTileSide ||
        layout.piece_width * layout.bits * (layout.planar ? 1 : layout.samples) % 8 != 0) {
      return "has tiles of " + sides;
    }
  }
  const std::uint64_t down = (layout.height + layout.piece_height - 1) / layout.piece_height;
  const std::uint64_t pieces = layout.pieces_across() * down;
  if (pieces > kMaxPieces) return "has over " + std::to_string(kMaxPieces) + " strips or tiles";
  const std::uint64_t pixels = static_cast<std::uint64_t>(layout.width) * layout.height;
  if (layout.tiled && pieces * layout.piece_width * layout.piece_height >
                          std::max(kMostPadding * pixels, kAlwaysPixels)) {
    return "has tiles of " + sides + " for a picture of " + std::to_string(layout.width) + "x" +
           std::to_string(layout.height);
  }
  return "";
}

// A JPEG strip of one scan is decoded in rows. Of another one libjpeg would keep all coefficients,
// and pass over them as often as it has scans.
std::string JpegPieceWrong(FileBytes& file, std::uint64_t at) {
  ImageHeader piece;
  if (std::string wrong = ParseJpegStream(file, at, piece); !wrong.empty()) return wrong;
  if (piece.whole) {
    return "has JPEG strips of several scans, as progressive ones are, which weir does not read "
           "in a TIFF";
  }
  return "";
}

// Looks at each strip or tile: how long it is in the file, and at its header where it has one. All
// of them together are no longer than the file, or than their own pixels where a file names a piece
// for many: each is read anew.
std::string ReadPieces(FileBytes& file, TiffDirectory& directory, const Entries& entries,
                       TiffLayout& layout) {
  const auto counts = entries.find(layout.tiled ? kTileByteCounts : kStripByteCounts);
  const auto offsets = entries.find(layout.tiled ? kTileOffsets : kStripOffsets);
  if (offsets == entries.end()) return "is corrupt: it does not say where its pixels are";
  const std::uint64_t down = (layout.height + layout.piece_height - 1) / layout.piece_height;
  layout.pieces = layout.pieces_across() * down * layout.planes();
  if (counts == entries.end()) {
    if (layout.pieces > 1) return "is corrupt: it does not say how long its strips are";
    layout.largest_piece_bytes = file.size();
  }
  std::uint64_t all = 0;
  for (std::uint64_t i = 0; i < layout.pieces; ++i) {
    if (counts != entries.end()) {
      const auto said = directory.Value(counts->second, i);
      if (!said) return "is corrupt: it does not say how long its strips are";
      const std::uint64_t bytes = std::min(*said, file.size());
      layout.largest_piece_bytes = std::max(layout.largest_piece_bytes, bytes);
      all += bytes;
      // libtiff reckons such a length anew.
      if (bytes == 0) layout.largest_piece_bytes = file.size();
    }
  }
  const std::uint64_t pixel_bytes = layout.pieces * layout.piece_bytes();
  if (all > file.size() + 2 * pixel_bytes + 64 * layout.pieces) {
    return "is corrupt: its strips lie over each other";
  }
  if (layout.compression != kTiffJpeg) return "";
  for (std::uint64_t i = 0; i < layout.pieces; ++i) {
    const auto at = directory.Value(offsets->second, i);
    if (!at) return "is corrupt: it does not say where its pixels are";
    if (std::string wrong = JpegPieceWrong(file, *at); !wrong.empty()) return wrong;
  }
  return "";
}

// How large libtiff's buffer for a piece of the file becomes, and the smaller one that it is copied
// from where it grows: by 1 MiB, then 10, then 100. (libtiff 4.5, TIFFReadAndRealloc())
std::size_t RawBytes(std::uint64_t piece_bytes) {
  std::uint64_t before = 0;
  for (std::uint64_t step = 1 << 20; before + step < piece_bytes; step *= 10) before += step;
  return static_cast<std::size_t>(piece_bytes + before) + 4096;
}

}  // namespace

std::size_t TiffLayout::HeldBytes() const {
  // LZW's table of 5,119 entries of 24 bytes, inflate's window, and the reader itself.
  constexpr std::size_t kReaderBytes = 256 << 10;
  // libzstd refuses windows of more than 128 MiB unless it is told otherwise.
  constexpr std::size_t kZstandardBytes = std::size_t{129} << 20;
  // libjpeg's rows, as in our own reader; the runs of two rows of a fax.
  const std::size_t columns = piece_width + 64;
  const std::size_t codec_bytes = compression == kTiffJpeg        ? 48 * columns * (samples + 3)
                                  : compression == kTiffZstandard ? kZstandardBytes
                                                                  : 24 * columns;
  const std::size_t row = row_bytes(piece_width);
  const std::size_t raw =
      is_chopped() ? std::max<std::size_t>(8192, 4 * row) + 16 * (height + 1)
                   : RawBytes(std::max<std::uint64_t>(
                         largest_piece_bytes, compression == kTiffNone ? piece_bytes() : 0));
  const std::size_t reader = kReaderBytes + directory_bytes + 16 * pieces + codec_bytes + raw;
  if (by_row()) return planes() * (reader + row);
  if (is_converted()) {
    // Blocks of up to 4 x 4 pixels that share their colour are whole.
    return reader + 3 * (piece_width + 4) * (piece_height + 4) +
           sizeof(std::uint32_t) * std::size_t(width) * piece_height;
  }
  return reader + piece_bytes() + band_bytes();
}

std::string ReadTiffLayout(FileBytes& file, TiffLayout& layout) {
  TiffDirectory directory(file, 0);
  Entries entries;
  if (std::string wrong = ReadEntries(file, directory, entries, layout); !wrong.empty()) {
    return wrong;
  }
  const auto side_of = [&](Tag tag) {
    return static_cast<int>(
        std::min<std::uint64_t>(ValueOf(entries, tag, 0), std::numeric_limits<int>::max()));
  };
  layout.width = side_of(kImageWidth);
  layout.height = side_of(kImageLength);
  if (layout.width <= 0 || layout.height <= 0) return "";
  const std::uint64_t orientation = ValueOf(entries, kOrientation, 1);
  if (orientation >= 1 && orientation <= 8) layout.orientation = static_cast<int>(orientation);
  layout.samples = Small(ValueOf(entries, kSamplesPerPixel, 1));
  layout.bits = Small(ValueOf(entries, kBitsPerSample, 1));
  layout.colour = Small(ValueOf(entries, kPhotometric, kTiffWhiteIsZero));
  layout.compression = Small(ValueOf(entries, kCompression, kTiffNone));
  layout.says_planar = ValueOf(entries, kPlanarConfig, 1) == 2;
  layout.planar = layout.says_planar && layout.samples > 1;
  const std::uint32_t colours = layout.colour == kTiffRgb ? 3 : 1;
  layout.associated = layout.colour <= kTiffRgb && layout.samples > colours &&
                      ValueOf(entries, kExtraSamples, 0) == 1;
  layout.tiled = entries.count(kTileWidth) > 0;
  layout.piece_width = layout.tiled ? ValueOf(entries, kTileWidth, 0) : layout.width;
  layout.piece_height = layout.tiled
                            ? ValueOf(entries, kTileLength, 0)
                            : std::clamp<std::uint64_t>(
                                  ValueOf(entries, kRowsPerStrip, layout.height), 1, layout.height);
  for (const std::string& wrong :
       {SamplesWrong(layout, ValueOf(entries, kSampleFormat, 1)), CompressionWrong(layout),
        ColourWrong(layout, ValueOf(entries, kInkSet, 1)), PiecesWrong(layout)}) {
    if (!wrong.empty()) return wrong;
  }
  return ReadPieces(file, directory, entries, layout);
}

}  // namespace weir
