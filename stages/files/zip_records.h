// What a zip file is made of beside the contents of its entries: a header before each, and a
// directory behind all. Entries are stored as they are, and dated the 1st of January 1980, so that
// the bytes are a function of what is in them.
//
// Layout: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 to 4.3.16 and 4.5.3; sizes, offsets
// and numbers of entries that do not fit are those of zip64. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir::zip {

// With what each record begins.
inline constexpr std::uint32_t kLocalHeader = 0x04034b50;
inline constexpr std::uint32_t kCentralHeader = 0x02014b50;
inline constexpr std::uint32_t kEnd = 0x06054b50;
inline constexpr std::uint32_t kZip64End = 0x06064b50;
inline constexpr std::uint32_t kZip64Locator = 0x07064b50;

inline constexpr std::uint16_t kZip64Extra = 1;         // the extra field of long sizes
inline constexpr std::uint32_t kInZip64 = 0xFFFF'FFFF;  // in place of a number that stands there
inline constexpr std::uint64_t kChecksumOffset = 14;    // the checksum in a local header, bytes

struct Entry {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint32_t checksum = 0;  // CRC-32 of the contents
  std::uint64_t offset = 0;    // where its local header begins in the file, bytes
};

// CRC-32 of what `checksum` is that of, and then `bytes`; 0 is that of nothing.
std::uint32_t Checksum(std::uint32_t checksum, std::string_view bytes);

// What comes before the contents. It is as long as makes them begin at a multiple of `alignment`
// bytes, which is less than 32 KiB.
std::string LocalHeader(const Entry& entry, std::uint16_t alignment = 1);

// The directory and the end of a file, which begin at `offset` in it.
std::string Directory(std::span<const Entry> entries, std::uint64_t offset);

}  // namespace weir::zip
