#include "stages/decode/formats.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "framework/config/suggestion.h"
#include "stages/decode/bmp/bmp_decoder.h"
#include "stages/decode/foreign_kinds.h"
#include "stages/decode/gif/gif_decoder.h"
#include "stages/decode/jpeg/jpeg_decoder.h"
#include "stages/decode/png/png_decoder.h"
#include "stages/decode/pnm/pnm_decoder.h"
#include "stages/decode/tiff/tiff_decoder.h"
#include "stages/decode/webp/webp_decoder.h"

namespace weir {
namespace {

// No two of them match the same bytes. Messages name them in this order; so does what kept features
// depend on (Decode::DependsOn), so that another order discards those. The first is the one that
// the plan starts from.
constexpr const ImageFormat* kFormats[] = {
    &kJpegFormat, &kPngFormat, &kBmpFormat, &kPnmFormat, &kTiffFormat, &kGifFormat, &kWebpFormat,
};

constexpr int kMaxSide = 1 << 26;

// Null where none matches.
const ImageFormat* FormatOf(const FirstBytes& bytes) {
  for (const ImageFormat* format : kFormats) {
    if (format->matches(bytes)) return format;
  }
  return nullptr;
}

}  // namespace

std::span<const ImageFormat* const> ImageFormats() { return kFormats; }

std::string ImageFormatNames(std::string_view last) {
  std::vector<std::string> names;
  for (const ImageFormat* format : kFormats) names.emplace_back(format->name);
  return Enumerate(names, last);
}

bool LooksLikePicture(std::string_view first_bytes) {
  FirstBytes bytes{};
  std::memcpy(bytes.data(), first_bytes.data(), std::min(first_bytes.size(), bytes.size()));
  return FormatOf(bytes) != nullptr;
}

Outcome<ImageHeader> ReadImageHeader(FileBytes& file) {
  FirstBytes bytes{};
  file.ReadSome(0, bytes.data(), bytes.size());
  const ImageFormat* const format = FormatOf(bytes);
  if (!format) {
    if (const auto foreign = NameForeignKind(file)) return Drop{"", *foreign};
    return Drop{"", "is not a picture that weir reads (" + ImageFormatNames("or") + ")"};
  }
  ImageHeader header;
  header.format = format;
  header.bytes = file.size();
  std::string wrong = format->read_header(file, header);
  if (wrong.empty() && (header.width <= 0 || header.height <= 0 || header.width >= kMaxSide ||
                        header.height >= kMaxSide)) {
    wrong = "says that it is " + std::to_string(header.width) + "x" +
            std::to_string(header.height) + " pixels";
  }
  if (!wrong.empty()) return Drop{"", wrong};
  return header;
}

}  // namespace weir
