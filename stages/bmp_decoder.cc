#include "stages/bmp_decoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <vector>

#include "stages/image_header_parsers.h"
#include "stages/picture_rows.h"

namespace weir {
namespace {

enum Compression : std::uint32_t { kNone = 0, kBitFields = 3 };

struct Palette {
  std::array<std::uint8_t, 4 * 256> colours{};  // blue, green, red, unused
};

// One colour of a pixel that is cut into bit fields, as 8 bits.
struct BitField {
  explicit BitField(std::uint32_t mask)
      : mask(mask), low(mask ? std::countr_zero(mask) : 0), most(mask >> low) {}
  std::uint8_t Of(std::uint32_t pixel) const {
    return most == 0 ? 0
                     : static_cast<std::uint8_t>(
                           (std::uint64_t{(pixel & mask) >> low} * 255 + most / 2) / most);
  }
  std::uint32_t mask;
  int low;
  std::uint32_t most;
};

struct BmpLayout {
  std::uint64_t pixels_at = 0;
  std::size_t row_bytes = 0;
  int bits = 0;
  bool bottom_up = true;
  Palette palette;
  std::array<std::uint32_t, 3> masks{};  // red, green, blue
};

std::string ReadLayout(FileBytes& file, const ImageHeader& header, BmpLayout& layout) {
  std::array<unsigned char, 54> head;
  if (!file.Read(0, head.data(), head.size())) return "is truncated in its header";
  const std::uint32_t dib_bytes = Little32(&head[14]), compression = Little32(&head[30]);
  layout.pixels_at = Little32(&head[10]);
  layout.bits = static_cast<int>(Little16(&head[28]));
  layout.bottom_up = static_cast<std::int32_t>(Little32(&head[22])) > 0;
  constexpr std::array<int, 6> kDepths = {1, 4, 8, 16, 24, 32};
  if (std::find(kDepths.begin(), kDepths.end(), layout.bits) == kDepths.end()) {
    return "is corrupt: " + std::to_string(layout.bits) + " bits a pixel";
  }
  if (compression != kNone && compression != kBitFields) {
    return "is a packed BMP, which weir does not read";
  }
  layout.row_bytes = (std::size_t(header.width) * layout.bits + 31) / 32 * 4;
  layout.masks = layout.bits == 16 ? std::array<std::uint32_t, 3>{0x7c00, 0x03e0, 0x001f}
                                   : std::array<std::uint32_t, 3>{0xff0000, 0xff00, 0xff};
  if (compression == kBitFields) {
    std::array<unsigned char, 12> masks;
    if (!file.Read(54, masks.data(), masks.size())) return "is truncated in its header";
    for (int i = 0; i < 3; ++i) layout.masks[i] = Little32(&masks[4 * i]);
  }
  if (layout.bits <= 8) {
    const std::uint32_t all = 1u << layout.bits, said = Little32(&head[46]);
    const std::size_t bytes = 4 * std::size_t{said == 0 ? all : std::min(said, all)};
    if (!file.Read(14 + std::uint64_t{dib_bytes}, layout.palette.colours.data(), bytes)) {
      return "is truncated in its header";
    }
  }
  return "";
}

void RowToRgb(const BmpLayout& layout, const std::uint8_t* row, int width, std::uint8_t* rgb) {
  const BitField red(layout.masks[0]), green(layout.masks[1]), blue(layout.masks[2]);
  for (int x = 0; x < width; ++x, rgb += 3) {
    if (layout.bits <= 8) {
      const int bit = x * layout.bits;
      const int index = row[bit / 8] >> (8 - layout.bits - bit % 8) & ((1 << layout.bits) - 1);
      const std::uint8_t* colour = &layout.palette.colours[4 * index];
      for (int i = 0; i < 3; ++i) rgb[i] = colour[2 - i];
    } else if (layout.bits == 24) {
      for (int i = 0; i < 3; ++i) rgb[i] = row[3 * x + 2 - i];
    } else {
      const std::uint32_t pixel = layout.bits == 16 ? Little16(row + 2 * x) : Little32(row + 4 * x);
      rgb[0] = red.Of(pixel);
      rgb[1] = green.Of(pixel);
      rgb[2] = blue.Of(pixel);
    }
  }
}

}  // namespace

Outcome<Image> DecodeBmp(FileBytes& file, const ImageHeader& header, const WantedSize& wanted) {
  BmpLayout layout;
  if (std::string wrong = ReadLayout(file, header, layout); !wrong.empty()) return Drop{"", wrong};
  if (layout.pixels_at + std::uint64_t{layout.row_bytes} * header.height > file.size()) {
    return Drop{"", "is truncated"};
  }
  PictureRows rows(header.width, header.height, ShrinkFor(header.width, header.height, wanted), 1);
  std::vector<std::uint8_t> row(layout.row_bytes), rgb(std::size_t{3} * header.width);
  for (int y = 0; y < header.height; ++y) {
    const std::uint64_t stored = layout.bottom_up ? header.height - 1 - y : y;
    if (file.ReadSome(layout.pixels_at + stored * layout.row_bytes, row.data(), row.size()) !=
        row.size()) {
      return Drop{"", "is truncated"};
    }
    RowToRgb(layout, row.data(), header.width, rgb.data());
    rows.Add(rgb.data());
  }
  return rows.Take();
}

std::size_t BmpDecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  return 8192 + 7 * static_cast<std::size_t>(header.width) +
         PictureRows::Bytes(header.width, header.height,
                            ShrinkFor(header.width, header.height, wanted));
}

}  // namespace weir
