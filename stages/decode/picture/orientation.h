// How a picture is turned, wherever its file says so: an EXIF block, an XMP packet, ImageMagick's
// text in a PNG.
//
// Each looks at a bounded part of the file and holds some KB while it does; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "stages/files/file_bytes.h"

namespace weir {

// What was found in one file. EXIF counts before XMP, as in Pillow's exif_transpose(): browsers and
// libvips look at EXIF alone.
struct FoundOrientation {
  std::optional<int> exif;
  std::optional<int> xmp;
  int value() const { return exif.value_or(xmp.value_or(1)); }  // 1 to 8
};

// Copies `count` bytes from `offset` of a block. False where the block ends before.
using BlockReader = std::function<bool(std::uint64_t offset, void* to, std::size_t count)>;

// What the first directory of an EXIF block says (Exif 2.32, section 4.6.4), with the prefix
// "Exif\0\0" of JPEG's segments or without: 1 where the value is none of 1 to 8, empty where there
// is no such entry.
std::optional<int> OrientationInExif(const BlockReader& block);
std::optional<int> OrientationInExif(FileBytes& file, std::uint64_t begin, std::uint64_t length);

// The first tiff:Orientation of an XMP packet, as an attribute or as an element (XMP specification,
// part 2, section 2.6). Looks at no more than 1 MiB.
std::optional<int> OrientationInXmp(const FileBytes& file, std::uint64_t begin,
                                    std::uint64_t length);
std::optional<int> OrientationInXmp(std::string_view text);

// The orientation in the text that ImageMagick keeps under "Raw profile type exif": three lines,
// and the EXIF block in hexadecimal digits.
std::optional<int> OrientationInRawProfile(std::string_view text);

}  // namespace weir
