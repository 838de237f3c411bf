#include "tests/stages/decode/drawn_headers.h"

#include <algorithm>
#include <array>

#include "tests/stages/decode/hostile_pictures.h"
#include "tests/stages/decode/picture_chunks.h"
#include "tests/stages/decode/tiff_file.h"

namespace weir {
namespace {

void Put(std::string& bytes, std::size_t at, const std::string& field) {
  if (at + field.size() <= bytes.size()) bytes.replace(at, field.size(), field);
}

}  // namespace

std::uint32_t DrawnHeaders::Field(std::uint32_t most) {
  switch (Below(6)) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return most;
    case 3:
      return Below(std::min<std::uint32_t>(most, 16) + 1);
    default:
      return Below(most) + 1;
  }
}

std::uint32_t DrawnHeaders::Side(std::uint32_t most) {
  switch (Below(8)) {
    case 0:
      return Field(most);
    case 1:
      return 1;
    case 2:
      return std::min<std::uint32_t>(most, 1 + Below(20'000));
    default:
      return 1 + Below(2'000);
  }
}

std::string DrawnHeaders::Jpeg() {
  std::string file = One(seeds_.jpegs);
  std::size_t frame = 2;
  while (frame + 4 < file.size() && file[frame + 1] != '\xc0' && file[frame + 1] != '\xc2') {
    frame += 2 + (static_cast<unsigned char>(file[frame + 2]) << 8 |
                  static_cast<unsigned char>(file[frame + 3]));
  }
  for (std::uint32_t changes = 1 + Below(4); changes > 0; --changes) {
    switch (Below(6)) {
      case 0:
      case 1:
        Put(file, frame + 5 + 2 * Below(2), BigBytes(Side(65535), 2));
        break;
      case 2:
        Put(file, frame + 1, std::string(1, "\xc0\xc1\xc2\xc9\xca\xc3"[Below(6)]));
        break;
      case 3:  // how often a channel is sampled
        Put(file, frame + 11 + 3 * Below(4),
            std::string(1, static_cast<char>((1 + Below(4)) << 4 | (1 + Below(4)))));
        break;
      case 4:
        Put(file, frame + 9, BigBytes(Field(10), 1));
        break;
      default: {  // the channels of the first scan
        const std::size_t scan = file.find("\xff\xda", frame);
        if (scan != std::string::npos) Put(file, scan + 4, BigBytes(Field(4), 1));
      }
    }
  }
  return file;
}

std::string DrawnHeaders::Png() {
  const std::string seed = One(seeds_.pngs);
  std::string ihdr = seed.substr(16, 13);
  constexpr std::array<int, 5> kDepths = {1, 2, 4, 8, 16};
  constexpr std::array<int, 5> kColours = {0, 2, 3, 4, 6};
  for (std::uint32_t changes = Below(5); changes > 0; --changes) {
    switch (Below(4)) {
      case 0:
      case 1:
        Put(ihdr, 4 * Below(2), BigBytes(Side(0x7fffffff), 4));
        break;
      case 2:
        Put(ihdr, 8, {static_cast<char>(kDepths[Below(5)]), static_cast<char>(kColours[Below(5)])});
        break;
      default:
        Put(ihdr, 12, BigBytes(Below(2), 1));
    }
  }
  std::string chunks = PngChunk("IHDR", ihdr);
  if (ihdr[9] == 3 || OneIn(8)) chunks += PngChunk("PLTE", std::string(3 * (1 + Below(256)), 'p'));
  const std::string packed = Deflated(std::string(Field(1 << 20), 'a'), 9);
  for (std::uint32_t more = Below(4); more > 0; --more) {
    const std::array<std::string, 6> kinds = {
        PngChunk("zTXt", std::string("a\0\0", 3) + packed),
        PngChunk("iTXt", std::string("a\0\1\0\0\0", 6) + packed),
        PngChunk("iCCP", std::string("a\0\0", 3) + packed),
        PngChunk("tRNS", std::string(Field(256), 't')),
        PngChunk("eXIf", std::string(Field(60'000), 'e')),
        PngChunk("tEXt", std::string("a\0", 2) + std::string(Field(100'000), 't'))};
    chunks += kinds[Below(kinds.size())];
  }
  // Its own pixels, or the zeros of as many as it says it has.
  if (OneIn(2)) return seed.substr(0, 8) + chunks + seed.substr(8 + 25);
  const std::string zeros = Deflated(std::string(std::size_t{1} << (10 + Below(13)), '\0'), 1);
  return seed.substr(0, 8) + chunks + PngChunk("IDAT", zeros) + PngChunk("IEND", "");
}

std::string DrawnHeaders::Gif() {
  std::string file = One(seeds_.gifs);
  const std::size_t table = file[10] & 0x80 ? 3u << ((file[10] & 7) + 1) : 0;
  const std::size_t frame = file.find('\x2c', 13 + table);
  for (std::uint32_t changes = 1 + Below(4); changes > 0; --changes) {
    switch (Below(4)) {
      case 0:
        Put(file, 6 + 2 * Below(2), LittleBytes(Side(65535), 2));
        break;
      case 1:
        Put(file, frame + 1 + 2 * Below(4), LittleBytes(Side(65535), 2));
        break;
      case 2:
        Put(file, frame + 9, LittleBytes(Field(255), 1));
        break;
      default:
        Put(file, frame + 10, LittleBytes(Field(12), 1));
    }
  }
  return file;
}

std::string DrawnHeaders::Webp() {
  if (OneIn(3)) {  // the sides of a lossy one
    std::string file = One(seeds_.webps);
    const std::size_t chunk = file.find("VP8 ");
    if (chunk != std::string::npos) {
      for (int i = 0; i < 2; ++i) Put(file, chunk + 14 + 2 * i, LittleBytes(Side(16383), 2));
    }
    return file;
  }
  LosslessWebp webp;
  webp.width = static_cast<int>(std::max(1u, Side(16384)));
  webp.height = static_cast<int>(std::max(1u, Side(16384)));
  std::array<std::uint32_t, 4> kinds = {0, 1, 2, 3};
  std::shuffle(kinds.begin(), kinds.end(), random_);
  for (std::uint32_t i = Below(4); i > 0; --i) {
    webp.transforms.push_back({kinds[i], kinds[i] == 3 ? Field(255) : Below(8)});
  }
  webp.cache_bits = OneIn(2) ? static_cast<int>(Field(11)) : 0;
  webp.block_bits = 2 + static_cast<int>(Below(8));
  webp.sets = std::max(1u, OneIn(3) ? Field(3000) : Field(40));
  if (OneIn(3)) {
    webp.width = webp.height = 64;  // the sides of the lossy picture around it
    return WebpWithAlpha(seeds_.webps[0], webp);
  }
  return webp.File();
}

std::string DrawnHeaders::Bmp() {
  const std::uint32_t width = Side(0xffffffff), height = Side(0xffffffff);
  constexpr std::array<int, 7> kBits = {1, 4, 8, 16, 24, 32, 2};
  constexpr std::array<int, 6> kHeaders = {12, 40, 52, 56, 108, 124};
  std::string dib = LittleBytes(OneIn(8) ? Field(0xffffffff) : kHeaders[Below(6)], 4) +
                    LittleBytes(width, 4) + LittleBytes(height, 4) + LittleBytes(1, 2) +
                    LittleBytes(kBits[Below(7)], 2) + LittleBytes(Below(5), 4) +
                    std::string(12, '\0') + LittleBytes(Field(0xffffffff), 4) +
                    std::string(80, '\xff');
  const std::size_t pixels = Below(4) * 1'000'000;
  return "BM" + std::string(8, '\0') +
         LittleBytes(OneIn(3) ? Field(0xffffffff) : 14 + dib.size(), 4) + dib +
         std::string(pixels, '\7');
}

std::string DrawnHeaders::Tiff() {
  // Some are a JPEG as large as its strip, so that it is decoded.
  const bool fits = OneIn(8);
  TiffFile tiff(fits ? 64 : std::max(1u, Side(100'000)), fits ? 64 : std::max(1u, Side(100'000)));
  constexpr std::array<std::uint32_t, 8> kBits = {1, 2, 4, 8, 8, 8, 12, 16};
  constexpr std::array<std::uint32_t, 7> kColours = {0, 1, 2, 2, 3, 5, 6};
  constexpr std::array<std::uint32_t, 7> kChannels = {1, 1, 3, 3, 1, 4, 3};
  constexpr std::array<std::uint32_t, 12> kCompressions = {1,     2, 3, 4,     5,     7,
                                                           32773, 8, 8, 50000, 34925, 32946};
  const std::uint32_t colour = Below(kColours.size());
  const std::uint32_t bits = kBits[Below(kBits.size())];
  const std::uint32_t samples = OneIn(6) ? Field(6) : kChannels[colour] + Below(2);
  tiff.SetColour(kColours[colour], samples, bits);
  const std::uint32_t compression = fits       ? 7
                                    : OneIn(2) ? (OneIn(2) ? 8 : 1)
                                               : kCompressions[Below(kCompressions.size())];
  tiff.Set(TiffFile::kCompression, compression);
  if (OneIn(3)) tiff.Set(TiffFile::kPredictor, 1 + Below(3));
  if (OneIn(2)) tiff.Set(TiffFile::kExtraSamples, Below(4));
  if (OneIn(8)) tiff.Set(TiffFile::kFillOrder, 2);
  if (OneIn(8)) tiff.Set(TiffFile::kSampleFormat, Below(5));
  if (OneIn(8)) tiff.Set(TiffFile::kOrientation, Field(9));
  const bool planar = OneIn(3);
  tiff.Set(TiffFile::kPlanarConfig, planar ? 2 : 1);
  if (kColours[colour] == 6) {
    tiff.Set(TiffFile::kYcbcrSubsampling, {1u << Below(3), 1u << Below(3)});
  }
  if (kColours[colour] == 3 && bits <= 8) {
    tiff.Set(TiffFile::kColorMap, std::vector<std::uint64_t>(std::size_t{3} << bits, 1000));
  }
  std::uint64_t across = tiff.Get(TiffFile::kWidth), rows = tiff.Get(TiffFile::kHeight);
  std::size_t pieces = 1;
  if (!fits && OneIn(3)) {
    const std::uint64_t width = OneIn(8) ? Field(20'000) : 16 * (1 + Below(40));
    const std::uint64_t height = OneIn(8) ? Field(20'000) : 16 * (1 + Below(40));
    tiff.SetTiles(width, height);
    pieces = ((across + width - 1) / std::max<std::uint64_t>(width, 1)) *
             ((rows + height - 1) / std::max<std::uint64_t>(height, 1));
    across = width;
    rows = height;
  } else if (!fits && OneIn(2)) {
    const std::uint64_t said = std::max<std::uint64_t>(1, OneIn(4) ? Field(100'000) : Below(400));
    tiff.Set(TiffFile::kRowsPerStrip, said);
    pieces = (rows + said - 1) / said;
    rows = std::min(rows, said);
  }
  if (planar) pieces *= samples;
  tiff.repeats = std::min<std::size_t>(std::max<std::size_t>(pieces, 1), 1'100'000);
  const std::size_t piece_bytes =
      std::min<std::size_t>((across * bits * (planar ? 1 : samples) + 7) / 8 * rows, 64 << 20);
  std::string piece(piece_bytes, '\x55');
  if (compression == 8 || compression == 32946) piece = Deflated(piece, 1);
  if (compression == 7) piece = OneIn(2) ? One(seeds_.jpegs) : Jpeg();
  if (compression != 1 && piece.size() > 200'000) piece.resize(200'000);
  tiff.pieces = {piece};
  tiff.big = OneIn(4);
  tiff.big_endian = OneIn(4);
  return tiff.Bytes();
}

}  // namespace weir
