#include "stages/gif_lzw.h"

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
      prefix_[i] = 0;
      length_[i] = 1;
      first_[i] = last_[i] = static_cast<std::uint8_t>(i);
    }
    Clear();
  }
}

int GifLzw::NextByte() {
  if (block_left_ == 0) block_left_ = bytes_.Next();
  if (block_left_ <= 0) return -1;
  --block_left_;
  return bytes_.Next();
}

int GifLzw::NextCode() {
  while (bit_count_ < code_bits_) {
    const int byte = NextByte();
    if (byte < 0) return -1;
    bits_ |= static_cast<std::uint32_t>(byte) << bit_count_;
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

bool GifLzw::Unpack() {
  const int clear = 1 << pixel_bits_, end = clear + 1;
  int code = clear;
  while (code == clear) {
    code = NextCode();
    if (code == clear) Clear();
  }
  if (code < 0 || code == end) {
    ended_ = true;
    return false;
  }
  // The code that is about to be given stands for the string before, and its first index once more.
  if (code > next_ || (code >= next_ && (previous_ < 0 || next_ == kCodes))) {
    corrupt_ = true;
    return false;
  }
  if (previous_ >= 0 && next_ < kCodes) {
    prefix_[next_] = static_cast<std::uint16_t>(previous_);
    length_[next_] = static_cast<std::uint16_t>(length_[previous_] + 1);
    first_[next_] = first_[previous_];
    last_[next_] = code == next_ ? first_[previous_] : first_[code];
    ++next_;
    if (next_ == 1 << code_bits_ && code_bits_ < kMostBits) ++code_bits_;
  }
  previous_ = code;
  string_bytes_ = length_[code];
  handed_out_ = 0;
  for (std::size_t i = string_bytes_; i-- > 0; code = prefix_[code]) string_[i] = last_[code];
  return true;
}

std::size_t GifLzw::Read(std::uint8_t* indices, std::size_t count) {
  std::size_t done = 0;
  while (done < count) {
    if (handed_out_ == string_bytes_ && (ended_ || corrupt_ || !Unpack())) break;
    const std::size_t part = std::min(count - done, string_bytes_ - handed_out_);
    std::copy_n(string_.data() + handed_out_, part, indices + done);
    handed_out_ += part;
    done += part;
  }
  return done;
}

}  // namespace weir
