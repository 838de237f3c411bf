#include "stages/decode/picture/orientation.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "stages/decode/picture/byte_order.h"

namespace weir {
namespace {

constexpr std::uint32_t kOrientationTag = 274;
constexpr std::uint64_t kMostXmpBytes = 1 << 20;
constexpr std::string_view kExifPrefix("Exif\0\0", 6);
constexpr std::string_view kXmpName = "tiff:Orientation";

int ValidOrientation(std::uint32_t value) {
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

int DigitOf(char c) {
  return c >= '0' && c <= '9' ? c - '0'
         : std::isxdigit(static_cast<unsigned char>(c))
             ? std::tolower(static_cast<unsigned char>(c)) - 'a' + 10
             : -1;
}

}  // namespace

std::optional<int> OrientationInExif(const BlockReader& block) {
  std::array<unsigned char, 12> bytes;
  std::uint64_t begin = 0;
  while (begin < 4 * kExifPrefix.size() && block(begin, bytes.data(), kExifPrefix.size()) &&
         std::memcmp(bytes.data(), kExifPrefix.data(), kExifPrefix.size()) == 0) {
    begin += kExifPrefix.size();
  }
  if (!block(begin, bytes.data(), 8)) return std::nullopt;
  const bool little = std::memcmp(bytes.data(), "II*\0", 4) == 0;
  if (!little && std::memcmp(bytes.data(), "MM\0*", 4) != 0) return std::nullopt;
  const auto read_16 = [little](const unsigned char* at) {
    return little ? Little16(at) : Big16(at);
  };
  const auto read_32 = [little](const unsigned char* at) {
    return little ? Little32(at) : Big32(at);
  };
  std::uint64_t at = begin + read_32(&bytes[4]);
  if (!block(at, bytes.data(), 2)) return std::nullopt;
  const std::uint32_t entries = read_16(bytes.data());
  at += 2;
  for (std::uint32_t i = 0; i < entries; ++i, at += bytes.size()) {
    if (!block(at, bytes.data(), bytes.size())) return std::nullopt;
    if (read_16(&bytes[0]) != kOrientationTag) continue;
    constexpr std::uint32_t kByte = 1, kShort = 3, kLong = 4;
    const std::uint32_t type = read_16(&bytes[2]);
    return ValidOrientation(type == kShort  ? read_16(&bytes[8])
                            : type == kLong ? read_32(&bytes[8])
                            : type == kByte ? bytes[8]
                                            : 1);
  }
  return std::nullopt;
}

std::optional<int> OrientationInExif(FileBytes& file, std::uint64_t begin, std::uint64_t length) {
  return OrientationInExif([&](std::uint64_t offset, void* to, std::size_t count) {
    return offset + count <= length && file.Read(begin + offset, to, count);
  });
}

std::optional<int> OrientationInXmp(std::string_view text) {
  for (std::size_t at = 0; (at = text.find(kXmpName, at)) != text.npos;) {
    at += kXmpName.size();
    std::string_view rest = text.substr(at);
    if (rest.starts_with(">")) {
      rest.remove_prefix(1);
    } else if (rest.starts_with("=\"") || rest.starts_with("='")) {
      rest.remove_prefix(2);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return ValidOrientation(rest[0] - '0');
  }
  return std::nullopt;
}

std::optional<int> OrientationInXmp(const FileBytes& file, std::uint64_t begin,
                                    std::uint64_t length) {
  constexpr std::size_t kKept = 32;  // bytes of the piece before: longer than what is looked for
  std::array<char, 8192> window;
  std::size_t kept = 0;
  for (std::uint64_t at = 0, end = std::min(length, kMostXmpBytes); at < end;) {
    const std::size_t wanted = std::min<std::uint64_t>(window.size() - kept, end - at);
    const std::size_t read = file.ReadSome(begin + at, window.data() + kept, wanted);
    const std::string_view text(window.data(), kept + read);
    if (const auto found = OrientationInXmp(text)) return found;
    if (read < wanted) return std::nullopt;
    at += read;
    kept = std::min(kKept, text.size());
    std::memmove(window.data(), text.data() + text.size() - kept, kept);
  }
  return std::nullopt;
}

std::optional<int> OrientationInRawProfile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  std::string block;
  int high = -1;
  for (const char c : text) {
    const int digit = DigitOf(c);
    if (digit < 0 && !std::isspace(static_cast<unsigned char>(c))) return std::nullopt;
    if (digit < 0) continue;
    if (high >= 0) block.push_back(static_cast<char>(16 * high + digit));
    high = high >= 0 ? -1 : digit;
  }
  return OrientationInExif([&block](std::uint64_t offset, void* to, std::size_t count) {
    if (offset + count > block.size()) return false;
    std::memcpy(to, block.data() + offset, count);
    return true;
  });
}

}  // namespace weir
