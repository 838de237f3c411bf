#include "stages/decode/bmp/bmp_decoder.h"

#include <array>
#include <bit>
#include <string>
#include <vector>

#include "stages/decode/bmp/bmp_header.h"
#include "stages/decode/bmp/bmp_rle.h"
#include "stages/decode/picture/byte_order.h"
#include "stages/decode/picture/picture_rows.h"

namespace weir {
namespace {

constexpr std::array<std::uint32_t, 3> kWholeBytes = {0xff0000, 0xff00, 0xff};
constexpr int kUpsideDown = 4;  // as EXIF numbers orientations

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

void IndicesToRgb(const BmpHeader& bmp, const std::uint8_t* indices, std::uint8_t* rgb) {
  for (int x = 0; x < bmp.width; ++x, rgb += 3) {
    const std::uint8_t* colour = &bmp.palette[std::size_t{3} * indices[x]];
    for (int i = 0; i < 3; ++i) rgb[i] = colour[i];
  }
}

void RowToRgb(const BmpHeader& bmp, const std::uint8_t* row, std::uint8_t* rgb) {
  if (bmp.bits >= 24 && bmp.masks == kWholeBytes) {
    for (int x = 0; x < bmp.width; ++x, row += bmp.bits / 8, rgb += 3) {
      for (int i = 0; i < 3; ++i) rgb[i] = row[2 - i];
    }
    return;
  }
  const BitField red(bmp.masks[0]), green(bmp.masks[1]), blue(bmp.masks[2]);
  const auto width = static_cast<std::size_t>(bmp.width);
  for (std::size_t x = 0; x < width; ++x, rgb += 3) {
    if (bmp.bits <= 8) {
      const std::size_t bit = x * bmp.bits;
      const int past = 8 - bmp.bits - static_cast<int>(bit % 8);
      const std::size_t index = row[bit / 8] >> past & ((1 << bmp.bits) - 1);
      const std::uint8_t* colour = &bmp.palette[3 * index];
      for (int i = 0; i < 3; ++i) rgb[i] = colour[i];
    } else {
      const std::uint32_t pixel = bmp.bits == 16   ? Little16(row + 2 * x)
                                  : bmp.bits == 24 ? Little24(row + 3 * x)
                                                   : Little32(row + 4 * x);
      rgb[0] = red.Of(pixel);
      rgb[1] = green.Of(pixel);
      rgb[2] = blue.Of(pixel);
    }
  }
}

// Plain rows fill whole words of 32 bits; each is read from where it lies.
Outcome<Image> DecodePlain(FileBytes& file, const BmpHeader& bmp, const WantedSize& wanted) {
  const std::size_t used_bytes = (std::size_t(bmp.width) * bmp.bits + 7) / 8;
  const std::size_t row_bytes = (used_bytes + 3) / 4 * 4;
  // The last row may lack its padding.
  if (bmp.pixels_at + std::uint64_t{row_bytes} * (bmp.height - 1) + used_bytes > file.size()) {
    return Drop{"", "is truncated"};
  }
  PictureRows rows(bmp.width, bmp.height, ShrinkFor(bmp.width, bmp.height, wanted), 1);
  std::vector<std::uint8_t> row(used_bytes), rgb(std::size_t{3} * bmp.width);
  for (int y = 0; y < bmp.height; ++y) {
    const std::uint64_t stored = bmp.bottom_up ? bmp.height - 1 - y : y;
    if (file.ReadSome(bmp.pixels_at + stored * row_bytes, row.data(), row.size()) != row.size()) {
      return Drop{"", "is truncated"};
    }
    RowToRgb(bmp, row.data(), rgb.data());
    rows.Add(rgb.data());
  }
  return rows.Take();
}

// Run lengths can only be read in their order, so the rows are turned as they come.
Outcome<Image> DecodeRuns(const FileBytes& file, const BmpHeader& bmp, const WantedSize& wanted) {
  PictureRows rows(bmp.width, bmp.height, ShrinkFor(bmp.width, bmp.height, wanted),
                   bmp.bottom_up ? kUpsideDown : 1);
  BmpRle rle(file, bmp.pixels_at, bmp.packing == BmpPacking::kRle4);
  std::vector<std::uint8_t> indices(bmp.width), rgb(std::size_t{3} * bmp.width);
  for (int y = 0; y < bmp.height; ++y) {
    if (!rle.ReadRow(indices.data(), bmp.width)) {
      return Drop{
          "", "is truncated after row " + std::to_string(y) + " of " + std::to_string(bmp.height)};
    }
    IndicesToRgb(bmp, indices.data(), rgb.data());
    rows.Add(rgb.data());
  }
  return rows.Take();
}

Outcome<Image> DecodeBmp(FileBytes& file, const ImageHeader& header, const WantedSize& wanted) {
  BmpHeader bmp;
  if (std::string wrong = ReadBmpHeader(file, bmp); !wrong.empty()) return Drop{"", wrong};
  if (bmp.width != header.width || bmp.height != header.height) {
    return Drop{"", "was written to while it was read"};
  }
  return bmp.packing == BmpPacking::kNone ? DecodePlain(file, bmp, wanted)
                                          : DecodeRuns(file, bmp, wanted);
}

std::size_t BmpDecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  return sizeof(BmpRle) + 8192 + 7 * static_cast<std::size_t>(header.width) +
         PictureRows::Bytes(header.width, header.height,
                            ShrinkFor(header.width, header.height, wanted));
}

constexpr std::string_view kEndings[] = {".bmp"};

}  // namespace

constinit const ImageFormat kBmpFormat = {
    .name = "BMP",
    .endings = kEndings,
    .matches = &IsBmp,
    .read_header = &ParseBmpHeader,
    .decode = &DecodeBmp,
    .decoder_bytes = &BmpDecoderBytes,
};

}  // namespace weir
