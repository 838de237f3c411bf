#include "stages/decode/bmp/bmp_rle.h"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

enum Escape { kEndOfRow = 0, kEndOfPicture = 1, kDelta = 2 };

void Put(int index, std::uint8_t* row, int width, int& x) {
  if (x < width) row[x++] = static_cast<std::uint8_t>(index);
}

}  // namespace

bool BmpRle::Repeat(int count, std::uint8_t* row, int width, int& x) {
  const int byte = bytes_.Next();
  if (byte < 0) return false;
  const int first = half_bytes_ ? byte >> 4 : byte, second = half_bytes_ ? byte & 15 : byte;
  for (int i = 0; i < count; ++i) Put(i % 2 ? second : first, row, width, x);
  return true;
}

// What is copied fills up whole words of 16 bits.
bool BmpRle::Copy(int count, std::uint8_t* row, int width, int& x) {
  const int used = half_bytes_ ? (count + 1) / 2 : count;
  for (int i = 0; i < used + used % 2; ++i) {
    const int byte = bytes_.Next();
    if (byte < 0) return false;
    if (i >= used) break;
    Put(half_bytes_ ? byte >> 4 : byte, row, width, x);
    if (half_bytes_ && 2 * i + 1 < count) Put(byte & 15, row, width, x);
  }
  return true;
}

bool BmpRle::ReadRow(std::uint8_t* row, int width) {
  std::fill_n(row, width, 0);
  if (ended_) return true;
  if (passed_over_ > 0) {
    --passed_over_;
    return true;
  }
  int x = std::min(std::exchange(start_, 0), width);
  for (;;) {
    const int count = bytes_.Next();
    if (count > 0) {
      if (!Repeat(count, row, width, x)) return false;
      continue;
    }
    const int escape = count < 0 ? -1 : bytes_.Next();
    if (escape < 0) return x == width;  // a row that lacks nothing but its end
    if (escape > kDelta) {
      if (!Copy(escape, row, width, x)) return false;
      continue;
    }
    if (escape == kEndOfRow) return true;
    if (escape == kEndOfPicture) return ended_ = true;
    const int right = bytes_.Next(), up = bytes_.Next();
    if (right < 0 || up < 0) return false;
    x = std::min(x + right, width);
    if (up == 0) continue;
    start_ = x;
    passed_over_ = up - 1;
    return true;
  }
}

}  // namespace weir
