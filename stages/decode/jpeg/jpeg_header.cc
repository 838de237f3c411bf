#include "stages/decode/jpeg/jpeg_header.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "stages/decode/picture/byte_order.h"
#include "stages/decode/picture/orientation.h"

namespace weir {
namespace {

constexpr int kMaxSegments = 2000;
constexpr int kMaxStrayBytes = 4096;
constexpr std::size_t kMaxChannels = 5;  // a strip in a TIFF has so many; a file has up to 4

constexpr unsigned kSos = 0xda, kEoi = 0xd9, kApp1 = 0xe1, kTem = 0x01;

bool IsFrame(unsigned marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}
bool HasNoLength(unsigned marker) { return (marker >= 0xd0 && marker <= 0xd8) || marker == kTem; }
bool IsProgressive(unsigned marker) { return marker == 0xc2 || marker == 0xca; }

// Sequential or progressive, Huffman or arithmetic coding; not lossless, not hierarchical.
bool IsDecodable(unsigned marker) { return marker <= 0xc2 || marker == 0xc9 || marker == 0xca; }

// Moves `at` behind the next marker. False where none begins before `end`.
bool NextMarker(FileBytes& file, std::uint64_t end, std::uint64_t& at, unsigned& marker) {
  unsigned char byte = 0, before = 0;
  for (int stray = 0; stray < kMaxStrayBytes && at < end; ++stray) {
    if (!file.Read(at, &byte, 1)) return false;
    ++at;
    if (before == 0xff && byte != 0xff && byte != 0) {
      marker = byte;
      return true;
    }
    before = byte;
  }
  return false;
}

// What all coefficients take, two bytes each, in whole units of the interleaved scan.
std::size_t CoefficientBytes(const ImageHeader& header, const unsigned char* components) {
  std::size_t h_most = 1, v_most = 1, h_and_v = 0;
  for (int i = 0; i < header.channels; ++i) {
    const std::size_t h = components[3 * i + 1] >> 4, v = components[3 * i + 1] & 15;
    h_most = std::max(h_most, h);
    v_most = std::max(v_most, v);
    h_and_v += h * v;
  }
  const std::size_t across = header.width / (8 * h_most) + 1,
                    down = header.height / (8 * v_most) + 1;
  return across * down * h_and_v * 64 * sizeof(std::int16_t);
}

struct Frame {
  unsigned marker = 0;
  std::array<unsigned char, 3 * kMaxChannels> components{};  // id, sampling and table of each
};

std::string ParseFrame(FileBytes& file, std::uint64_t at, ImageHeader& header, Frame& frame) {
  std::array<unsigned char, 6> fixed;
  if (!file.Read(at, fixed.data(), fixed.size())) return "is truncated in its header";
  if (!IsDecodable(frame.marker)) return "is a lossless or hierarchical JPEG";
  if (fixed[0] != 8)
    return "has " + std::to_string(fixed[0]) + "-bit samples; weir reads 8-bit JPEGs";
  header.height = static_cast<int>(Big16(&fixed[1]));
  header.width = static_cast<int>(Big16(&fixed[3]));
  header.channels = fixed[5];
  if (header.channels < 1 || fixed[5] > kMaxChannels) {
    return "has " + std::to_string(header.channels) + " channels; a JPEG has 1, 3 or 4";
  }
  if (!file.Read(at + 6, frame.components.data(), std::size_t{3} * fixed[5])) {
    return "is truncated in its header";
  }
  return "";
}

// An EXIF block or an XMP packet in the segment APP1 (Exif 2.32, section 4.7.2; XMP specification,
// part 3, section 1.1.3), of which the first that says something counts.
void LookAtMetadata(FileBytes& file, std::uint64_t begin, std::uint64_t length,
                    FoundOrientation& found) {
  constexpr std::string_view kExif("Exif\0\0", 6), kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  std::array<char, kXmp.size()> name{};
  file.Read(begin, name.data(), std::min<std::uint64_t>(length, name.size()));
  const std::string_view start(name.data(), name.size());
  if (start.starts_with(kExif) && !found.exif) {
    found.exif = OrientationInExif(file, begin, length);
  } else if (start == kXmp && !found.exif && !found.xmp) {
    found.xmp = OrientationInXmp(file, begin, length);
  }
}

}  // namespace

std::string ParseJpegStream(FileBytes& file, std::uint64_t begin, std::uint64_t bytes,
                            ImageHeader& header) {
  if (begin > file.size()) return "is truncated in its header";
  Frame frame;
  const std::uint64_t end = begin + std::min(bytes, file.size() - begin);
  std::uint64_t at = begin + 2;
  FoundOrientation found;
  for (int i = 0; i < kMaxSegments; ++i) {
    unsigned marker = 0;
    std::array<unsigned char, 2> start{};  // a segment's length; then how many channels a scan has
    if (!NextMarker(file, end, at, marker)) return "is truncated in its header";
    if (HasNoLength(marker)) continue;
    if (marker == kEoi) return "ends before its picture";
    if (!file.Read(at, start.data(), 2)) return "is truncated in its header";
    const std::uint32_t length = Big16(start.data());
    if (length < 2) return "is corrupt: a header segment of " + std::to_string(length) + " bytes";
    if (IsFrame(marker)) {
      if (frame.marker != 0) return "is corrupt: it has two frame headers";
      frame.marker = marker;
      if (std::string wrong = ParseFrame(file, at + 2, header, frame); !wrong.empty()) return wrong;
    } else if (marker == kApp1) {
      LookAtMetadata(file, at + 2, length - 2, found);
    } else if (marker == kSos) {
      if (frame.marker == 0) return "is corrupt: it has no frame header";
      if (!file.Read(at + 2, start.data(), 1)) return "is truncated in its header";
      header.whole = IsProgressive(frame.marker) || start[0] < header.channels;
      header.orientation = found.value();
      if (header.whole) header.held_bytes = CoefficientBytes(header, frame.components.data());
      return "";
    }
    at += length;
  }
  return "is corrupt: over " + std::to_string(kMaxSegments) + " header segments";
}

std::string ParseJpegHeader(FileBytes& file, ImageHeader& header) {
  if (std::string wrong = ParseJpegStream(file, 0, file.size(), header); !wrong.empty())
    return wrong;
  if (header.channels != 1 && header.channels != 3 && header.channels != 4) {
    return "has " + std::to_string(header.channels) + " channels; a JPEG has 1, 3 or 4";
  }
  return "";
}

}  // namespace weir
