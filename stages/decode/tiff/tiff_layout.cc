#include "stages/decode/tiff/tiff_layout.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "stages/decode/jpeg/jpeg_header.h"
#include "stages/decode/tiff/tiff_directory.h"
#include "stages/decode/tiff/tiff_kinds.h"

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

// The entries of the tags above; a tag's first one counts, as in libtiff.
using Entries = std::map<std::uint32_t, TiffEntry>;

bool IsOfLayout(std::uint32_t tag) {
  constexpr Tag kTags[] = {kImageWidth,   kImageLength,     kBitsPerSample,  kCompression,
                           kPhotometric,  kStripOffsets,    kOrientation,    kSamplesPerPixel,
                           kRowsPerStrip, kStripByteCounts, kPlanarConfig,   kTileWidth,
                           kTileLength,   kTileOffsets,     kTileByteCounts, kInkSet,
                           kExtraSamples, kSampleFormat};
  return std::find(std::begin(kTags), std::end(kTags), tag) != std::end(kTags);
}

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
    if (IsOfLayout(entry->tag)) entries.emplace(entry->tag, *entry);
  }
  return "";
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
std::string JpegPieceWrong(FileBytes& file, std::uint64_t at, std::uint64_t bytes) {
  ImageHeader piece;
  if (std::string wrong = ParseJpegStream(file, at, bytes, piece); !wrong.empty()) return wrong;
  if (piece.whole) {
    return "has JPEG strips of several scans, as progressive ones are, which weir does not read "
           "in a TIFF";
  }
  return "";
}

// The lists of where the strips or tiles are, and of how long each is in the file.
struct PieceLists {
  const TiffEntry* offsets = nullptr;
  const TiffEntry* counts = nullptr;  // null where one piece may be as long as the file
};

constexpr const char* kNoOffset = "is corrupt: it does not say where its pixels are";
constexpr const char* kNoLength = "is corrupt: it does not say how long its strips are";

std::string FindLists(const Entries& entries, const TiffLayout& layout, PieceLists& lists) {
  if (entries.count(kStripOffsets) + entries.count(kTileOffsets) == 2 ||
      entries.count(kStripByteCounts) + entries.count(kTileByteCounts) == 2) {
    return "is corrupt: it has strips and tiles";
  }
  // Some writers give the lists of strips for tiles too.
  for (const auto& [tag, entry] : entries) {
    if (tag == kStripOffsets || tag == kTileOffsets) lists.offsets = &entry;
    if (tag == kStripByteCounts || tag == kTileByteCounts) lists.counts = &entry;
  }
  if (!lists.offsets) return kNoOffset;
  if (!lists.counts && layout.pieces > 1) return kNoLength;
  return "";
}

// Looks at how long each strip or tile is in the file. All of them together are no longer than the
// file, or than their own pixels where a file names a piece for many: each is read anew.
std::string ReadLengths(std::uint64_t file_bytes, TiffDirectory& directory, const TiffEntry& counts,
                        TiffLayout& layout) {
  std::uint64_t all = 0;
  for (std::uint64_t i = 0; i < layout.pieces; ++i) {
    const auto said = directory.Value(counts, i);
    if (!said) return kNoLength;
    const std::uint64_t bytes = std::min(*said, file_bytes);
    // libtiff reckons a length of 0 anew.
    layout.largest_piece_bytes =
        std::max(layout.largest_piece_bytes, bytes > 0 ? bytes : file_bytes);
    all += bytes;
  }
  const std::uint64_t pixel_bytes = layout.pieces * layout.piece_bytes();
  if (all > file_bytes + 2 * pixel_bytes + 64 * layout.pieces) {
    return "is corrupt: its strips lie over each other";
  }
  return "";
}

// Looks at the header of each strip or tile, no further than that is long: so the headers cost no
// more time than the pixels, also where many pieces lie at one place.
std::string ReadJpegHeaders(FileBytes& file, TiffDirectory& directory, const PieceLists& lists,
                            const TiffLayout& layout) {
  for (std::uint64_t i = 0; i < layout.pieces; ++i) {
    const auto at = directory.Value(*lists.offsets, i);
    if (!at) return kNoOffset;
    std::uint64_t bytes = lists.counts ? directory.Value(*lists.counts, i).value_or(0) : 0;
    if (bytes == 0) {
      if (layout.pieces > 1) return kNoLength;
      bytes = file.size();
    }
    if (std::string wrong = JpegPieceWrong(file, *at, bytes); !wrong.empty()) return wrong;
  }
  return "";
}

std::string ReadPieces(FileBytes& file, TiffDirectory& directory, const Entries& entries,
                       TiffLayout& layout) {
  const std::uint64_t down = (layout.height + layout.piece_height - 1) / layout.piece_height;
  layout.pieces = layout.pieces_across() * down * layout.planes();
  PieceLists lists;
  if (std::string wrong = FindLists(entries, layout, lists); !wrong.empty()) return wrong;
  if (!lists.counts) {
    layout.largest_piece_bytes = file.size();
  } else if (std::string wrong = ReadLengths(file.size(), directory, *lists.counts, layout);
             !wrong.empty()) {
    return wrong;
  }
  return layout.compression == kTiffJpeg ? ReadJpegHeaders(file, directory, lists, layout) : "";
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
      is_chopped() ? std::max<std::size_t>(8192, 4 * row) + 16 * (std::size_t(height) + 1)
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
  TiffDirectory directory(file);
  Entries entries;
  if (std::string wrong = ReadEntries(file, directory, entries, layout); !wrong.empty()) {
    return wrong;
  }
  layout.width = SideOf(ValueOf(entries, kImageWidth, 0));
  layout.height = SideOf(ValueOf(entries, kImageLength, 0));
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
  std::string wrong = TiffKindWrong(layout, {.sample_format = ValueOf(entries, kSampleFormat, 1),
                                             .ink_set = ValueOf(entries, kInkSet, 1)});
  if (wrong.empty()) wrong = PiecesWrong(layout);
  if (!wrong.empty()) return wrong;
  return ReadPieces(file, directory, entries, layout);
}

}  // namespace weir
