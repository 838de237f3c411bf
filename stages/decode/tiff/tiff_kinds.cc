#include "stages/decode/tiff/tiff_kinds.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace weir {
namespace {

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
// None, four of a fax, LZW, JPEG, Deflate by two numbers, PackBits and Zstandard.
constexpr std::array<std::uint32_t, 11> kCompressions = {
    kTiffNone, 2, 3, 4, 32771, 5, kTiffJpeg, 8, 32946, 32773, kTiffZstandard};

constexpr Named kRefusedColours[] = {{4, "mask"},
                                     {8, "CIE L*a*b*"},
                                     {9, "ICC L*a*b*"},
                                     {10, "ITU L*a*b*"},
                                     {32803, "colour filter"},
                                     {32844, "LogL"},
                                     {32845, "LogLuv"},
                                     {34892, "raw"}};

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

}  // namespace

std::string TiffKindWrong(const TiffLayout& layout, const TiffSampleKinds& kinds) {
  std::string wrong = SamplesWrong(layout, kinds.sample_format);
  if (wrong.empty()) wrong = CompressionWrong(layout);
  if (wrong.empty()) wrong = ColourWrong(layout, kinds.ink_set);
  return wrong;
}

}  // namespace weir
