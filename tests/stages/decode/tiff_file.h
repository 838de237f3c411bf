// A TIFF or BigTIFF that is put together field by field, also as no writer would. (TIFF 6.0)
//
//   TiffFile tiff(30, 20);
//   tiff.Set(TiffFile::kPhotometric, 2);
//   tiff.pieces = {Deflated(rows)};
//   Write("a.tif", tiff.Bytes());
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weir {

class TiffFile {
 public:
  enum Tag : std::uint16_t {
    kWidth = 256,
    kHeight = 257,
    kBits = 258,
    kCompression = 259,
    kPhotometric = 262,
    kFillOrder = 266,
    kStripOffsets = 273,
    kOrientation = 274,
    kSamples = 277,
    kRowsPerStrip = 278,
    kStripByteCounts = 279,
    kPlanarConfig = 284,
    kPredictor = 317,
    kColorMap = 320,
    kTileWidth = 322,
    kTileHeight = 323,
    kTileOffsets = 324,
    kTileByteCounts = 325,
    kInkSet = 332,
    kExtraSamples = 338,
    kSampleFormat = 339,
    kJpegTables = 347,
    kYcbcrSubsampling = 530,
  };

  // Grey of 8 bits, uncompressed, in one strip.
  TiffFile(std::uint32_t width, std::uint32_t height) {
    Set(kWidth, width);
    Set(kHeight, height);
    Set(kBits, 8);
    Set(kCompression, 1);
    Set(kPhotometric, 1);
    Set(kSamples, 1);
    Set(kRowsPerStrip, height);
    Set(kPlanarConfig, 1);
  }

  void Set(std::uint16_t tag, std::uint64_t value) { values_[tag] = {value}; }
  void Set(std::uint16_t tag, std::vector<std::uint64_t> values) {
    values_[tag] = std::move(values);
  }
  void Remove(std::uint16_t tag) { values_.erase(tag); }
  std::uint64_t Get(std::uint16_t tag) const { return values_.at(tag)[0]; }

  // RGB and so on: `samples` of `bits` each.
  void SetColour(std::uint64_t photometric, std::uint64_t samples, std::uint64_t bits = 8) {
    Set(kPhotometric, photometric);
    Set(kSamples, samples);
    Set(kBits, std::vector<std::uint64_t>(samples, bits));
  }
  void SetTiles(std::uint64_t width, std::uint64_t height) {
    Remove(kRowsPerStrip);
    Set(kTileWidth, width);
    Set(kTileHeight, height);
  }

  // The strips or tiles, and how often the whole list is repeated in the header.
  std::vector<std::string> pieces;
  std::size_t repeats = 1;
  bool strip_lists = false;  // the tags of strips for tiles too
  bool big = false;          // BigTIFF
  bool big_endian = false;   // the header is; pieces are as they are

  std::string Bytes() const {
    auto values = values_;
    const bool tiled = values.count(kTileWidth) > 0;
    std::string packed;
    std::vector<std::uint64_t> offsets, counts;
    for (const std::string& piece : pieces) {
      offsets.push_back(kPiecesAt + packed.size());
      counts.push_back(piece.size());
      packed += piece + std::string(piece.size() % 2, '\0');
    }
    const std::size_t count = pieces.size();
    for (std::size_t i = count; i < count * repeats; ++i) {
      offsets.push_back(offsets[i - count]);
      counts.push_back(counts[i - count]);
    }
    values.emplace(tiled && !strip_lists ? kTileOffsets : kStripOffsets, offsets);
    values.emplace(tiled && !strip_lists ? kTileByteCounts : kStripByteCounts, counts);

    std::string head = big_endian ? "MM" : "II";
    const std::uint64_t directory_at = kPiecesAt + packed.size();
    if (big) {
      head += Number(43, 2) + Number(8, 2) + Number(0, 2) + Number(directory_at, 8);
    } else {
      head += Number(42, 2) + Number(directory_at, 4);
    }
    head.resize(kPiecesAt, '\0');
    const int word = big ? 8 : 4;
    std::string directory = Number(values.size(), big ? 8 : 2);
    std::string behind;
    const std::uint64_t behind_at =
        directory_at + directory.size() + values.size() * (4 + 2 * word) + word;
    for (const auto& [tag, list] : values) {
      const Type type = TypeOf(tag);
      std::string bytes;
      for (const std::uint64_t value : list) bytes += Number(value, type.bytes);
      directory += Number(tag, 2) + Number(type.number, 2) + Number(list.size(), word);
      if (bytes.size() <= static_cast<std::size_t>(word)) {
        bytes.resize(word, '\0');
        directory += bytes;
      } else {
        directory += Number(behind_at + behind.size(), word);
        behind += bytes;
      }
    }
    return head + packed + directory + std::string(word, '\0') + behind;
  }

 private:
  static constexpr std::size_t kPiecesAt = 16;
  struct Type {
    std::uint64_t number;
    int bytes;
  };

  Type TypeOf(std::uint16_t tag) const {
    if (tag == kJpegTables) return {7, 1};
    const bool is_long = tag == kWidth || tag == kHeight || tag == kRowsPerStrip ||
                         tag == kStripOffsets || tag == kStripByteCounts || tag == kTileWidth ||
                         tag == kTileHeight || tag == kTileOffsets || tag == kTileByteCounts;
    return is_long ? Type{4, 4} : Type{3, 2};
  }

  std::string Number(std::uint64_t value, int bytes) const {
    std::string number;
    for (int i = 0; i < bytes; ++i) number += static_cast<char>(value >> 8 * i);
    if (big_endian) std::reverse(number.begin(), number.end());
    return number;
  }

  std::map<std::uint16_t, std::vector<std::uint64_t>> values_;
};

}  // namespace weir
