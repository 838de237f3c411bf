// Numbers and names in the bytes of a file's header, in either order of bytes.
#pragma once

#include <cstdint>
#include <cstring>

namespace weir {

inline std::uint32_t Big16(const unsigned char* bytes) { return bytes[0] << 8 | bytes[1]; }
inline std::uint32_t Big32(const unsigned char* bytes) {
  return Big16(bytes) << 16 | Big16(bytes + 2);
}
inline std::uint32_t Little16(const unsigned char* bytes) { return bytes[1] << 8 | bytes[0]; }
inline std::uint32_t Little24(const unsigned char* bytes) {
  return static_cast<std::uint32_t>(bytes[2]) << 16 | Little16(bytes);
}
inline std::uint32_t Little32(const unsigned char* bytes) {
  return Little16(bytes + 2) << 16 | Little16(bytes);
}

// Whether the four letters of a chunk's name are `tag`.
inline bool IsTag(const unsigned char* name, const char* tag) {
  return std::memcmp(name, tag, 4) == 0;
}

}  // namespace weir
