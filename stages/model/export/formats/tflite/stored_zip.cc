#include "stages/model/export/formats/tflite/stored_zip.h"

#include <zlib.h>

#include <cstddef>

namespace weir {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50,
                        kDirectoryEnd = 0x06054b50;
constexpr std::uint64_t kVersion = 10;              // 1.0: nothing but stored files
constexpr std::uint64_t kFirstDay = 1U << 5U | 1U;  // the 1st of January 1980

// The last bytes of `number` first, as many as are asked for.
void Append(std::string& to, std::size_t bytes, std::uint64_t number) {
  for (std::size_t i = 0; i < bytes; ++i) to += static_cast<char>(number >> 8 * i & 0xffU);
}

// What an entry says in the directory and before the contents alike.
std::string EntryOf(std::string_view name, std::string_view contents) {
  const auto checksum =
      crc32_z(0, reinterpret_cast<const unsigned char*>(contents.data()), contents.size());
  std::string entry;
  Append(entry, 2, kVersion);
  Append(entry, 2, 0);  // flags
  Append(entry, 2, 0);  // stored
  Append(entry, 2, 0);  // midnight
  Append(entry, 2, kFirstDay);
  Append(entry, 4, checksum);
  Append(entry, 4, contents.size());
  Append(entry, 4, contents.size());
  Append(entry, 2, name.size());
  Append(entry, 2, 0);  // extra fields
  return entry;
}

}  // namespace

std::string StoredZip(std::uint64_t at, std::string_view name, std::string_view contents) {
  const std::string entry = EntryOf(name, contents);
  std::string zip;
  Append(zip, 4, kLocalHeader);
  zip.append(entry).append(name).append(contents);
  const std::uint64_t directory = zip.size();
  Append(zip, 4, kDirectoryEntry);
  Append(zip, 2, kVersion);
  zip.append(entry);
  Append(zip, 2, 0);  // comment
  Append(zip, 2, 0);  // disk
  Append(zip, 2, 0);  // attributes of either kind
  Append(zip, 4, 0);
  Append(zip, 4, at);
  zip.append(name);
  const std::uint64_t end = zip.size();
  Append(zip, 4, kDirectoryEnd);
  Append(zip, 2, 0);  // this disk, and that of the directory
  Append(zip, 2, 0);
  Append(zip, 2, 1);  // entries on it, and in all
  Append(zip, 2, 1);
  Append(zip, 4, end - directory);
  Append(zip, 4, at + directory);
  Append(zip, 2, 0);  // comment
  return zip;
}

}  // namespace weir
