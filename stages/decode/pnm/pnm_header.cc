#include "stages/decode/pnm/pnm_header.h"

#include <limits>

namespace weir {
namespace {

constexpr std::uint64_t kMostHeaderBytes = 64 << 10;  // comments and all
constexpr int kBrightestOfAll = 65535;

// Reads the next number, past blanks and comments, and the one blank that ends it; as in Netpbm, a
// comment with the end of its line is such a blank. False where there is something else.
bool ReadNumber(FileBytes& file, std::uint64_t& at, int& number) {
  bool comment = false, begun = false;
  std::int64_t value = 0;
  for (; at < kMostHeaderBytes; ++at) {
    unsigned char byte = 0;
    if (!file.Read(at, &byte, 1)) return false;
    comment = comment ? byte != '\n' && byte != '\r' : byte == '#';
    if (comment) continue;
    if (IsPnmBlank(byte)) {
      if (!begun) continue;
      ++at;
      number = static_cast<int>(value);
      return true;
    } else if (byte < '0' || byte > '9') {
      return false;
    } else {
      begun = true;
      value = 10 * value + (byte - '0');
      if (value > std::numeric_limits<int>::max()) return false;
    }
  }
  return false;
}

}  // namespace

bool IsPnm(const FirstBytes& start) {
  return start[0] == 'P' && start[1] >= '1' && start[1] <= '6' &&
         (IsPnmBlank(start[2]) || start[2] == '#') &&
         (IsPnmBlank(start[3]) || start[3] == '#' || start[2] == '#' ||
          (start[3] >= '0' && start[3] <= '9'));
}

std::string ReadPnmHeader(FileBytes& file, PnmHeader& header) {
  unsigned char kind = 0;
  if (!file.Read(1, &kind, 1)) return "is truncated in its header";
  header.text = kind <= '3';
  header.bits = kind == '1' || kind == '4';
  header.channels = kind == '3' || kind == '6' ? 3 : 1;
  std::uint64_t at = 2;
  for (int* number : {&header.width, &header.height, &header.brightest}) {
    if (number == &header.brightest && header.bits) continue;
    if (ReadNumber(file, at, *number)) continue;
    return at >= file.size() ? "is truncated in its header"
                             : "is corrupt: a PNM without a number in its header";
  }
  if (header.brightest < 1 || header.brightest > kBrightestOfAll) {
    return "is corrupt: its brightest sample is " + std::to_string(header.brightest) +
           ", not 1 to " + std::to_string(kBrightestOfAll);
  }
  header.pixels_at = at;
  return "";
}

std::string ParsePnmHeader(FileBytes& file, ImageHeader& header) {
  PnmHeader pnm;
  if (std::string wrong = ReadPnmHeader(file, pnm); !wrong.empty()) return wrong;
  header.width = pnm.width;
  header.height = pnm.height;
  header.channels = pnm.channels;
  header.sample_bytes = pnm.brightest > 255 ? 2 : 1;
  return "";
}

}  // namespace weir
