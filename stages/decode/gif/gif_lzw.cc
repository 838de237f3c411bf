#include "stages/decode/gif/gif_lzw.h"

#include <algorithm>

namespace weir {

GifLzw::GifLzw(const FileBytes& file, std::uint64_t at)
    : bytes_(file, at), pixel_bits_(bytes_.Next()) {
  if (pixel_bits_ < 0) {
    ended_ = true;
  } else if (pixel_bits_ < 1 || pixel_bits_ > 8) {
    corrupt_ = true;
  } else {
    for (int i = 0; i < 1 << pixel_bits_; ++i) {
      const auto index = static_cast<std::uint8_t>(i);
      table_[i] = {.prefix = 0, .length = 1, .last = index, .first = index};
    }
    Clear();
  }
}

bool GifLzw::NextBlock() {
  const int length = bytes_.Next();
  if (length <= 0) return false;
  block_bytes_ = bytes_.Read(block_.data(), static_cast<std::size_t>(length));
  block_taken_ = 0;
  return block_bytes_ > 0;
}

int GifLzw::NextCode() {
  while (bit_count_ < code_bits_) {
    if (block_taken_ == block_bytes_ && !NextBlock()) return -1;
    bits_ |= static_cast<std::uint32_t>(block_[block_taken_++]) << bit_count_;
    bit_count_ += 8;
  }
  const int code = static_cast<int>(bits_ & ((1u << code_bits_) - 1));
  bits_ >>= code_bits_;
  bit_count_ -= code_bits_;
  return code;
}

void GifLzw::Clear() {
  code_bits_ = pixel_bits_ + 1;
  next_ = (1 << pixel_bits_) + 2;
  previous_ = -1;
}

int GifLzw::NextString() {
  const int clear = 1 << pixel_bits_, end = clear + 1;
  int code = NextCode();
  while (code == clear) {
    Clear();
    code = NextCode();
  }
  if (code < 0 || code == end) {
    ended_ = true;
    return -1;
  }
  // The code that is about to be given stands for the string before, and its first index once more.
  if (code > next_ || (code == next_ && (previous_ < 0 || next_ == kCodes))) {
    corrupt_ = true;
    return -1;
  }
  if (previous_ >= 0 && next_ < kCodes) {
    const Entry& before = table_[previous_];
    table_[next_] = {.prefix = static_cast<std::uint16_t>(previous_),
                     .length = static_cast<std::uint16_t>(before.length + 1),
                     .last = code == next_ ? before.first : table_[code].first,
                     .first = before.first};
    ++next_;
    if (next_ == 1 << code_bits_ && code_bits_ < kMostBits) ++code_bits_;
  }
  previous_ = code;
  return code;
}

void GifLzw::Write(int code, std::uint8_t* indices) const {
  for (int i = table_[code].length; i-- > 0; code = table_[code].prefix) {
    indices[i] = table_[code].last;
  }
}

std::size_t GifLzw::Read(std::uint8_t* indices, std::size_t count) {
  std::size_t done = std::min(count, string_bytes_ - handed_out_);
  std::copy_n(string_.data() + handed_out_, done, indices);
  handed_out_ += done;
  while (done < count && !ended_ && !corrupt_) {
    const int code = NextString();
    if (code < 0) break;
    const std::size_t length = table_[code].length;
    if (length <= count - done) {
      Write(code, indices + done);
      done += length;
    } else {
      Write(code, string_.data());
      string_bytes_ = length;
      handed_out_ = count - done;
      std::copy_n(string_.data(), handed_out_, indices + done);
      done = count;
    }
  }
  return done;
}

}  // namespace weir
