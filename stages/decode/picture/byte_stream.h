// The bytes of a file, or of a part of one, from an offset on, one after the other.
//
// One thread an object. Holds 16 KB.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "stages/files/file_bytes.h"

namespace weir {

class ByteStream {
 public:
  // The file is to outlive this.
  ByteStream(const FileBytes& file, std::uint64_t at) : file_(file), at_(at) {}

  // -1 at the end.
  int Next() {
    if (taken_ == buffered_ && !Fill()) return -1;
    return buffer_[taken_++];
  }
  // The same, but the next call gives it once more.
  int Peek() { return taken_ == buffered_ && !Fill() ? -1 : buffer_[taken_]; }
  // The next `count`, or as many as there are.
  std::size_t Read(std::uint8_t* to, std::size_t count) {
    std::size_t done = 0;
    while (done < count && (taken_ < buffered_ || Fill())) {
      const std::size_t part = std::min(count - done, buffered_ - taken_);
      std::copy_n(buffer_.data() + taken_, part, to + done);
      taken_ += part;
      done += part;
    }
    return done;
  }

 private:
  bool Fill() {
    buffered_ = file_.ReadSome(at_, buffer_.data(), buffer_.size());
    at_ += buffered_;
    taken_ = 0;
    return buffered_ > 0;
  }

  const FileBytes& file_;
  std::uint64_t at_;
  std::size_t buffered_ = 0, taken_ = 0;
  std::array<std::uint8_t, 16 << 10> buffer_;
};

}  // namespace weir
