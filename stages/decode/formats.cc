#include "stages/decode/formats.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string>

#include "stages/decode/bmp/bmp_header.h"
#include "stages/decode/foreign_kinds.h"
#include "stages/decode/gif/gif_frame.h"
#include "stages/decode/jpeg/jpeg_header.h"
#include "stages/decode/png/png_header.h"
#include "stages/decode/pnm/pnm_header.h"
#include "stages/decode/tiff/tiff_header.h"
#include "stages/decode/webp/webp_header.h"

namespace weir {
namespace {

constexpr int kMaxSide = 1 << 26;
using Magic = std::array<unsigned char, kFirstBytes>;

struct Format {
  ImageKind kind;
  std::string_view name;
  bool (*matches)(const Magic&);
  std::string (*parse)(FileBytes&, ImageHeader&);
};

template <std::size_t size>
bool At(const Magic& magic, std::size_t offset, const char (&text)[size]) {
  return std::memcmp(magic.data() + offset, text, size - 1) == 0;
}

const Format kFormats[] = {
    {ImageKind::kJpeg, "JPEG", [](const Magic& m) { return At(m, 0, "\xff\xd8\xff"); },
     ParseJpegHeader},
    {ImageKind::kPng, "PNG", [](const Magic& m) { return At(m, 0, "\x89PNG\r\n\x1a\n"); },
     ParsePngHeader},
    {ImageKind::kGif, "GIF",
     [](const Magic& m) { return At(m, 0, "GIF87a") || At(m, 0, "GIF89a"); }, ParseGifHeader},
    {ImageKind::kWebp, "WebP", [](const Magic& m) { return At(m, 0, "RIFF") && At(m, 8, "WEBP"); },
     ParseWebpHeader},
    {ImageKind::kTiff, "TIFF",
     [](const Magic& m) {
       return At(m, 0, "II*\0") || At(m, 0, "MM\0*") || At(m, 0, "II+\0") || At(m, 0, "MM\0+");
     },
     ParseTiffHeader},
    {ImageKind::kBmp, "BMP", [](const Magic& m) { return IsBmp(m.data()); }, ParseBmpHeader},
    {ImageKind::kPnm, "PNM", [](const Magic& m) { return IsPnm(m.data()); }, ParsePnmHeader},
};

// "JPEG, PNG, ... or PNM".
std::string Names() {
  std::string text;
  for (const Format& format : kFormats) {
    if (!text.empty()) text += &format == std::end(kFormats) - 1 ? " or " : ", ";
    text += format.name;
  }
  return text;
}

}  // namespace

std::string_view Name(ImageKind kind) {
  for (const Format& format : kFormats) {
    if (format.kind == kind) return format.name;
  }
  return "";
}

Outcome<ImageHeader> ReadImageHeader(FileBytes& file) {
  Magic magic{};
  file.ReadSome(0, magic.data(), magic.size());
  for (const Format& format : kFormats) {
    if (!format.matches(magic)) continue;
    ImageHeader header;
    header.kind = format.kind;
    header.bytes = file.size();
    std::string wrong = format.parse(file, header);
    if (wrong.empty() && (header.width <= 0 || header.height <= 0 || header.width >= kMaxSide ||
                          header.height >= kMaxSide)) {
      wrong = "says that it is " + std::to_string(header.width) + "x" +
              std::to_string(header.height) + " pixels";
    }
    if (!wrong.empty()) return Drop{"", wrong};
    return header;
  }
  if (const auto foreign = NameForeignKind(file)) return Drop{"", *foreign};
  return Drop{"", "is not a picture that weir reads (" + Names() + ")"};
}

bool LooksLikePicture(std::string_view first_bytes) {
  Magic magic{};
  std::memcpy(magic.data(), first_bytes.data(), std::min(first_bytes.size(), magic.size()));
  return std::any_of(std::begin(kFormats), std::end(kFormats),
                     [&](const Format& format) { return format.matches(magic); });
}

}  // namespace weir
