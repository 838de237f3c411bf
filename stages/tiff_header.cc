// The first directory of a TIFF (TIFF 6.0, sections 2 and 8), which is also the form of EXIF.

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>

#include "stages/image_header_parsers.h"

namespace weir {
namespace {

constexpr int kMaxEntries = 1000;

enum Tag : std::uint32_t {
  kImageWidth = 256,
  kImageLength = 257,
  kBitsPerSample = 258,
  kPhotometric = 262,
  kOrientation = 274,
  kSamplesPerPixel = 277,
  kRowsPerStrip = 278,
  kStripByteCounts = 279,
  kPlanarConfig = 284,
  kTileWidth = 322,
  kTileLength = 323,
  kTileByteCounts = 325,
};

enum Type : std::uint32_t { kByte = 1, kShort = 3, kLong = 4 };

constexpr std::uint32_t kPalette = 3, kYcbcr = 6;  // of kPhotometric
constexpr std::uint32_t kMaxTileSide = 10000;      // libvips' limit
constexpr std::uint32_t kMaxPieces = 50000;        // strips or tiles whose lengths are looked at

struct Entry {
  std::uint32_t tag = 0;
  std::uint32_t type = 0;
  std::uint32_t count = 0;
  std::uint64_t at = 0;  // of the values, in the file
  std::uint64_t value_bytes = 0;
  std::uint32_t first = 0;  // the first value, where it is an integer
};

// Reads one directory, entry by entry.
class Directory {
 public:
  Directory(FileBytes& file, std::uint64_t begin) : file_(file), begin_(begin) {}

  bool Open() {
    std::array<unsigned char, 8> start;
    if (!file_.Read(begin_, start.data(), 8)) return false;
    if (start[0] != start[1] || (start[0] != 'I' && start[0] != 'M')) return false;
    little_ = start[0] == 'I';
    if (Read16(&start[2]) != 42) return false;
    at_ = begin_ + Read32(&start[4]);
    if (!file_.Read(at_, start.data(), 2)) return false;
    left_ = std::min<int>(static_cast<int>(Read16(start.data())), kMaxEntries);
    at_ += 2;
    return true;
  }

  // The value `index` of the entry. Empty where it is no integer, or behind the end of the file.
  std::optional<std::uint32_t> Value(const Entry& entry, std::uint32_t index) {
    const std::size_t size = entry.type == kByte    ? 1
                             : entry.type == kShort ? 2
                             : entry.type == kLong  ? 4
                                                    : 0;
    std::array<unsigned char, 4> value;
    if (size == 0 || index >= entry.count ||
        !file_.Read(entry.at + std::uint64_t{index} * size, value.data(), size)) {
      return std::nullopt;
    }
    return size == 1 ? value[0] : size == 2 ? Read16(value.data()) : Read32(value.data());
  }

  // Empty behind the last, and at the end of the file.
  std::optional<Entry> Next() {
    std::array<unsigned char, 12> bytes;
    if (left_-- <= 0 || !file_.Read(at_, bytes.data(), bytes.size())) return std::nullopt;
    at_ += bytes.size();
    constexpr std::array<std::uint64_t, 14> kSizes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
    const std::uint32_t type = Read16(&bytes[2]), count = Read32(&bytes[4]);
    Entry entry;
    entry.tag = Read16(&bytes[0]);
    entry.type = type;
    entry.count = count;
    entry.value_bytes = (type < kSizes.size() ? kSizes[type] : 8) * std::uint64_t{count};
    entry.at = entry.value_bytes <= 4 ? at_ - 4 : begin_ + Read32(&bytes[8]);
    entry.first = Value(entry, 0).value_or(0);
    return entry;
  }

 private:
  std::uint32_t Read16(const unsigned char* at) const { return little_ ? Little16(at) : Big16(at); }
  std::uint32_t Read32(const unsigned char* at) const { return little_ ? Little32(at) : Big32(at); }

  FileBytes& file_;
  std::uint64_t begin_;
  std::uint64_t at_ = 0;
  bool little_ = true;
  int left_ = 0;
};

int Side(std::uint32_t value) {
  return static_cast<int>(std::min<std::uint32_t>(value, std::numeric_limits<int>::max()));
}

int ValidOrientation(std::uint32_t value) {
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

// The most bytes that one strip or tile takes in the file, which libtiff reads at once.
std::uint64_t LargestPiece(FileBytes& file, Directory& directory, const Entry& counts) {
  std::uint64_t largest = 0;
  for (std::uint32_t i = 0; i < counts.count; ++i) {
    const auto bytes = i < kMaxPieces ? directory.Value(counts, i) : std::nullopt;
    largest = std::max<std::uint64_t>(largest, bytes.value_or(0xffffffff));
    if (largest >= file.size()) return file.size();
  }
  return largest;
}

std::uint64_t RoundUp(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

int ExifOrientation(FileBytes& file, std::uint64_t begin) {
  Directory directory(file, begin);
  if (!directory.Open()) return 1;
  while (const auto entry = directory.Next()) {
    if (entry->tag == kOrientation) return ValidOrientation(entry->first);
  }
  return 1;
}

std::string ParseTiffHeader(FileBytes& file, ImageHeader& header) {
  Directory directory(file, 0);
  if (!directory.Open()) return "is truncated in its header";
  std::map<std::uint32_t, Entry> entries;  // of a tag that is there twice the first, as in libtiff
  std::uint64_t value_bytes = 0;
  while (const auto entry = directory.Next()) {
    if (entry->value_bytes > file.size()) {
      return "is corrupt: tag " + std::to_string(entry->tag) + " is longer than the file";
    }
    value_bytes += entry->value_bytes;
    entries.emplace(entry->tag, *entry);
  }
  const auto value_of = [&entries](Tag tag, std::uint32_t otherwise) {
    const auto found = entries.find(tag);
    return found == entries.end() ? otherwise : found->second.first;
  };
  header.width = Side(value_of(kImageWidth, 0));
  header.height = Side(value_of(kImageLength, 0));
  if (header.width <= 0 || header.height <= 0) return "";  // refused by the caller
  header.orientation = ValidOrientation(value_of(kOrientation, 1));
  const std::uint32_t samples = value_of(kSamplesPerPixel, 1), bits = value_of(kBitsPerSample, 1);
  const std::uint32_t photometric = value_of(kPhotometric, 0);
  if (samples < 1 || samples > 5) return "has " + std::to_string(samples) + " channels";
  if (bits < 1 || bits > 16) return "has " + std::to_string(bits) + "-bit samples";
  header.channels = static_cast<int>(photometric == kPalette ? samples + 2 : samples);
  header.sample_bytes = bits > 8 ? 2 : 1;

  // libtiff keeps the directory twice, its lengths and offsets as 64-bit numbers.
  header.held_bytes = 8 * value_bytes;
  const auto counts = entries.find(entries.count(kTileWidth) ? kTileByteCounts : kStripByteCounts);
  header.held_bytes +=
      counts == entries.end() ? file.size() : LargestPiece(file, directory, counts->second);
  if (entries.count(kTileWidth)) {
    const std::uint32_t tile_width = value_of(kTileWidth, 0),
                        tile_height = value_of(kTileLength, 0);
    if (tile_width > kMaxTileSide || tile_height > kMaxTileSide || tile_width == 0) {
      return "has tiles of " + std::to_string(tile_width) + "x" + std::to_string(tile_height) +
             " pixels";
    }
    // Two rows of tiles are cached, and one tile is being read.
    header.held_bytes += 3 * RoundUp(header.width + tile_width, tile_width) * tile_height *
                         header.channels * header.sample_bytes;
    return "";
  }
  const std::uint32_t rows = std::max(value_of(kRowsPerStrip, 0xffffffff), 1u);
  // libvips reads long strips row by row, where that can be done. Of another one there are the
  // cached, the decoded and the packed one.
  const bool by_row = rows > 128 && photometric != kYcbcr && value_of(kPlanarConfig, 1) == 1;
  header.held_bytes +=
      header.row_bytes() * (by_row ? 4 : 4 * std::min<std::uint64_t>(rows, header.height));
  return "";
}

}  // namespace weir
