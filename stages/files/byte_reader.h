// Little-endian numbers out of bytes that nobody vouches for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace weir {

// A place in some bytes. Every step forward is checked: past the end, a read gives nothing and the
// place stays. Holds no copy; the bytes must outlive it.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes, std::size_t position = 0)
      : bytes_(bytes), position_(position < bytes.size() ? position : bytes.size()) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  template <class Number>
  std::optional<Number> Read() {
    if (remaining() < sizeof(Number)) return std::nullopt;
    Number number;
    std::memcpy(&number, bytes_.data() + position_, sizeof number);
    position_ += sizeof number;
    return number;
  }

  std::optional<std::span<const std::byte>> Take(std::uint64_t count) {
    if (count > remaining()) return std::nullopt;
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  // Up to a line feed, which is stepped over.
  std::optional<std::string_view> TakeLine() {
    const void* end =
        remaining() ? std::memchr(bytes_.data() + position_, '\n', remaining()) : nullptr;
    if (!end) return std::nullopt;
    const std::byte* begin = bytes_.data() + position_;
    const auto length = static_cast<std::size_t>(static_cast<const std::byte*>(end) - begin);
    position_ += length + 1;
    return std::string_view(reinterpret_cast<const char*>(begin), length);
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t position_;
};

inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace weir
