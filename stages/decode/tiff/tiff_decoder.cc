#include "stages/decode/tiff/tiff_decoder.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "stages/decode/picture/picture_rows.h"
#include "stages/decode/tiff/tiff_header.h"
#include "stages/decode/tiff/tiff_layout.h"
#include "stages/decode/tiff/tiff_reader.h"
#include "stages/decode/tiff/tiff_samples.h"

namespace weir {
namespace {

// The cost was worked out from our own reading of the header: libtiff's must be the same.
bool Agrees(const TiffReader& reader, const TiffLayout& layout) {
  TIFF* const tiff = reader.tiff();
  if (reader.Field32(TIFFTAG_IMAGEWIDTH) != static_cast<unsigned>(layout.width) ||
      reader.Field32(TIFFTAG_IMAGELENGTH) != static_cast<unsigned>(layout.height) ||
      reader.Field16(TIFFTAG_BITSPERSAMPLE) != layout.bits ||
      reader.Field16(TIFFTAG_SAMPLESPERPIXEL) != layout.samples ||
      reader.Field16(TIFFTAG_COMPRESSION) != layout.compression ||
      reader.Field16(TIFFTAG_PHOTOMETRIC) != layout.colour ||
      (reader.Field16(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE && layout.samples > 1) !=
          layout.planar ||
      (TIFFIsTiled(tiff) != 0) != layout.tiled) {
    return false;
  }
  if (layout.is_converted()) return true;
  if (layout.tiled) {
    return reader.Field32(TIFFTAG_TILEWIDTH) == layout.piece_width &&
           reader.Field32(TIFFTAG_TILELENGTH) == layout.piece_height &&
           static_cast<std::size_t>(TIFFTileSize(tiff)) == layout.piece_bytes();
  }
  return static_cast<std::size_t>(TIFFScanlineSize(tiff)) == layout.row_bytes(layout.width);
}

// The colours of the palette. TIFF gives each 16 bits; many writers have put 8 there.
std::vector<TiffSamples::Colour> Palette(const TiffReader& reader, const TiffLayout& layout) {
  std::vector<TiffSamples::Colour> palette;
  std::uint16_t* columns[3] = {};
  if (layout.colour != kTiffPalette ||
      TIFFGetField(reader.tiff(), TIFFTAG_COLORMAP, &columns[0], &columns[1], &columns[2]) != 1) {
    return palette;
  }
  palette.resize(std::size_t{1} << layout.bits);
  int down = 0;
  for (const std::uint16_t* column : columns) {
    const bool deep = std::any_of(column, column + palette.size(), [](int c) { return c > 255; });
    if (deep) down = 8;
  }
  for (std::size_t i = 0; i < palette.size(); ++i) {
    for (int c = 0; c < 3; ++c) palette[i][c] = static_cast<std::uint8_t>(columns[c][i] >> down);
  }
  return palette;
}

// One picture on its way from libtiff into rows of RGB. Each way returns false where libtiff fails.
class TiffPicture {
 public:
  TiffPicture(const FileBytes& file, const TiffLayout& layout, PictureRows& rows)
      : file_(file), layout_(layout), rows_(rows), rgb_(std::size_t{3} * layout.width) {}

  Outcome<Image> Decode() {
    const TiffError error;
    const int readers = layout_.by_row() ? layout_.planes() : 1;
    for (int i = 0; i < readers; ++i) {
      readers_.push_back(std::make_unique<TiffReader>(file_, layout_.is_chopped()));
      if (!readers_[i]->tiff()) return Drop{"", error.Reason()};
      if (layout_.colour == kTiffYcbcr && layout_.compression == kTiffJpeg) {
        TIFFSetField(readers_[i]->tiff(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      }
      if (!Agrees(*readers_[i], layout_)) return Drop{"", "is corrupt: its header is ambiguous"};
    }
    std::vector<TiffSamples::Colour> palette = Palette(*readers_[0], layout_);
    if (layout_.colour == kTiffPalette && palette.empty()) {
      return Drop{"", "is corrupt: it has no palette"};
    }
    samples_ = std::make_unique<TiffSamples>(layout_, std::move(palette));
    const bool read = layout_.is_converted() ? Convert()
                      : layout_.by_row()     ? ReadRows()
                                             : ReadPieces();
    if (!read) return Drop{"", error.Reason()};
    return rows_.Take();
  }

 private:
  void Add(std::span<const std::uint8_t* const> planes) {
    samples_->ToRgb(planes, rgb_.data());
    rows_.Add(rgb_.data());
  }

  // Reads long strips row by row, each plane by a reader of its own: one decodes rows in order
  // only.
  bool ReadRows() {
    const std::size_t row_bytes = layout_.row_bytes(layout_.width);
    std::vector<std::uint8_t> row(row_bytes * readers_.size());
    std::vector<const std::uint8_t*> planes;
    for (std::size_t i = 0; i < readers_.size(); ++i) planes.push_back(&row[i * row_bytes]);
    for (int y = 0; y < layout_.height; ++y) {
      for (std::size_t i = 0; i < readers_.size(); ++i) {
        if (TIFFReadScanline(readers_[i]->tiff(), &row[i * row_bytes], static_cast<unsigned>(y),
                             static_cast<std::uint16_t>(i)) < 0) {
          return false;
        }
      }
      Add(planes);
    }
    return true;
  }

  // Reads tiles and short strips, a band of them after the other.
  bool ReadPieces() {
    const std::size_t piece_row = layout_.row_bytes(layout_.piece_width);
    const std::size_t band_row = piece_row * layout_.pieces_across();
    const std::size_t plane_bytes = band_row * layout_.piece_height;
    std::vector<std::uint8_t> band(plane_bytes * layout_.planes());
    std::vector<const std::uint8_t*> planes(layout_.planes());
    const auto height = static_cast<std::uint64_t>(layout_.height);
    for (std::uint64_t top = 0; top < height; top += layout_.piece_height) {
      const std::uint64_t rows = std::min(layout_.piece_height, height - top);
      for (int plane = 0; plane < layout_.planes(); ++plane) {
        if (!ReadBand(top, rows, plane, &band[plane * plane_bytes])) return false;
      }
      for (std::uint64_t y = 0; y < rows; ++y) {
        for (int plane = 0; plane < layout_.planes(); ++plane) {
          planes[plane] = &band[plane * plane_bytes + y * band_row];
        }
        Add(planes);
      }
    }
    return true;
  }

  bool ReadBand(std::uint64_t top, std::uint64_t rows, int plane, std::uint8_t* band) {
    TIFF* const tiff = readers_[0]->tiff();
    const auto y = static_cast<std::uint32_t>(top);
    const auto sample = static_cast<std::uint16_t>(plane);
    if (!layout_.tiled) {
      const auto bytes = static_cast<tmsize_t>(layout_.row_bytes(layout_.width) * rows);
      return TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, sample), band, bytes) == bytes;
    }
    const std::size_t piece_row = layout_.row_bytes(layout_.piece_width);
    const std::size_t band_row = piece_row * layout_.pieces_across();
    piece_.resize(layout_.piece_bytes());
    for (std::uint64_t i = 0; i < layout_.pieces_across(); ++i) {
      const auto x = static_cast<std::uint32_t>(i * layout_.piece_width);
      if (TIFFReadTile(tiff, piece_.data(), x, y, 0, sample) < 0) return false;
      for (std::uint64_t row = 0; row < rows; ++row) {
        std::memcpy(band + row * band_row + i * piece_row, &piece_[row * piece_row], piece_row);
      }
    }
    return true;
  }

  // Reads YCbCr by libtiff's own conversion to RGBA, a band of pieces at a time.
  bool Convert() {
    TIFFRGBAImage image;
    char reason[1024] = "";
    if (!TIFFRGBAImageOK(readers_[0]->tiff(), reason) ||
        !TIFFRGBAImageBegin(&image, readers_[0]->tiff(), 1, reason)) {
      return false;
    }
    const std::unique_ptr<TIFFRGBAImage, decltype(&TIFFRGBAImageEnd)> end(&image, TIFFRGBAImageEnd);
    image.req_orientation = image.orientation;  // it is turned by us
    const auto width = static_cast<std::uint32_t>(layout_.width);
    std::vector<std::uint32_t> band(width * layout_.piece_height);
    for (int top = 0; top < layout_.height; top += static_cast<int>(layout_.piece_height)) {
      const auto rows = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(layout_.piece_height, layout_.height - top));
      image.row_offset = top;
      if (!TIFFRGBAImageGet(&image, band.data(), width, rows)) return false;
      for (std::uint32_t y = 0; y < rows; ++y) {
        const std::uint32_t* row = &band[std::size_t{y} * width];
        for (std::size_t x = 0; x < width; ++x) {
          rgb_[3 * x] = static_cast<std::uint8_t>(TIFFGetR(row[x]));
          rgb_[3 * x + 1] = static_cast<std::uint8_t>(TIFFGetG(row[x]));
          rgb_[3 * x + 2] = static_cast<std::uint8_t>(TIFFGetB(row[x]));
        }
        rows_.Add(rgb_.data());
      }
    }
    return true;
  }

  const FileBytes& file_;
  const TiffLayout& layout_;
  PictureRows& rows_;
  std::vector<std::unique_ptr<TiffReader>> readers_;
  std::unique_ptr<TiffSamples> samples_;
  std::vector<std::uint8_t> piece_;
  std::vector<std::uint8_t> rgb_;
};

std::string LoadedLibrary() {
  const std::string said = TIFFGetVersion();  // "LIBTIFF, Version 4.5.0\nCopyright ..."
  const std::size_t begin = said.find_first_of("0123456789");
  if (begin == std::string::npos) return "libtiff " + said;
  return "libtiff " + said.substr(begin, said.find_first_of("\n ", begin) - begin);
}

Outcome<Image> DecodeTiff(FileBytes& file, const ImageHeader& header, const WantedSize& wanted) {
  TiffLayout layout;
  if (std::string wrong = ReadTiffLayout(file, layout); !wrong.empty()) return Drop{"", wrong};
  if (layout.width != header.width || layout.height != header.height) {
    return Drop{"", "was written to while it was read"};
  }
  const WantedSize stored = AsStored(wanted, header.orientation);
  PictureRows rows(layout.width, layout.height, ShrinkFor(layout.width, layout.height, stored),
                   header.orientation);
  return TiffPicture(file, layout, rows).Decode();
}

std::size_t TiffDecoderBytes(const ImageHeader& header, const WantedSize& wanted) {
  const WantedSize stored = AsStored(wanted, header.orientation);
  return header.held_bytes + 3 * static_cast<std::size_t>(header.width) +
         PictureRows::Bytes(header.width, header.height,
                            ShrinkFor(header.width, header.height, stored));
}

constexpr std::string_view kEndings[] = {".tif", ".tiff"};

}  // namespace

constinit const ImageFormat kTiffFormat = {
    .name = "TIFF",
    .endings = kEndings,
    .matches =
        [](const FirstBytes& bytes) {
          return HoldsAt(bytes, 0, "II*\0") || HoldsAt(bytes, 0, "MM\0*") ||
                 HoldsAt(bytes, 0, "II+\0") || HoldsAt(bytes, 0, "MM\0+");
        },
    .read_header = &ParseTiffHeader,
    .decode = &DecodeTiff,
    .decoder_bytes = &TiffDecoderBytes,
    .library = &LoadedLibrary,
};

}  // namespace weir
