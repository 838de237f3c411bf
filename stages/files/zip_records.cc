#include "stages/files/zip_records.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>

namespace weir::zip {
namespace {

constexpr std::uint64_t kVersion = 10;       // 1.0: nothing but stored files
constexpr std::uint64_t kZip64Version = 45;  // 4.5
constexpr std::uint64_t kFirstDay = 1U << 5U | 1U;
constexpr std::size_t kLocalHeaderBytes = 30;
constexpr std::uint16_t kAlignmentExtra = 0xD935;  // as Android's zipalign writes it
constexpr std::size_t kLeastAlignmentExtra = 6;    // bytes: its id, its length, the alignment

// The last bytes of `number` first, as many as are asked for.
void Append(std::string& to, std::size_t bytes, std::uint64_t number) {
  for (std::size_t i = 0; i < bytes; ++i) to += static_cast<char>(number >> 8 * i & 0xffU);
}

// In as many bytes; all ones where it does not fit.
void AppendUpTo(std::string& to, std::size_t bytes, std::uint64_t number) {
  Append(to, bytes, std::min(number, (std::uint64_t{1} << 8 * bytes) - 1));
}

// Whether 32 bits are too few for it.
bool IsLong(std::uint64_t number) { return number >= kInZip64; }

// The sizes and, in the directory, the offset that do not fit 32 bits.
std::string LongSizes(const Entry& entry, bool with_offset) {
  std::string sizes;
  if (IsLong(entry.bytes)) {
    Append(sizes, 8, entry.bytes);
    Append(sizes, 8, entry.bytes);
  }
  if (with_offset && IsLong(entry.offset)) Append(sizes, 8, entry.offset);
  std::string extra;
  if (sizes.empty()) return extra;
  Append(extra, 2, kZip64Extra);
  Append(extra, 2, sizes.size());
  return extra + sizes;
}

// What moves contents that would begin at `begin` to a multiple of the alignment.
std::string Padding(std::uint64_t begin, std::uint16_t alignment) {
  std::string extra;
  if (begin % alignment == 0) return extra;
  const std::uint64_t rest = (begin + kLeastAlignmentExtra) % alignment;
  const std::uint64_t zeros = rest == 0 ? 0 : alignment - rest;
  Append(extra, 2, kAlignmentExtra);
  Append(extra, 2, 2 + zeros);
  Append(extra, 2, alignment);
  return extra.append(zeros, '\0');
}

// What an entry says in the directory and before the contents alike.
std::string CommonFields(const Entry& entry, const std::string& extra, bool is_long) {
  std::string fields;
  Append(fields, 2, is_long ? kZip64Version : kVersion);
  Append(fields, 2, 0);  // flags
  Append(fields, 2, 0);  // stored
  Append(fields, 2, 0);  // midnight
  Append(fields, 2, kFirstDay);
  Append(fields, 4, entry.checksum);
  AppendUpTo(fields, 4, entry.bytes);
  AppendUpTo(fields, 4, entry.bytes);
  Append(fields, 2, entry.name.size());
  Append(fields, 2, extra.size());
  return fields;
}

std::string CentralHeader(const Entry& entry) {
  const std::string extra = LongSizes(entry, /*with_offset=*/true);
  std::string header;
  Append(header, 4, kCentralHeader);
  Append(header, 2, extra.empty() ? kVersion : kZip64Version);
  header += CommonFields(entry, extra, !extra.empty());
  Append(header, 2, 0);  // comment
  Append(header, 2, 0);  // disk
  Append(header, 2, 0);  // attributes of either kind
  Append(header, 4, 0);
  AppendUpTo(header, 4, entry.offset);
  return header + entry.name + extra;
}

// The numbers of a directory that ends at `end`, in the long form.
void AppendZip64End(std::string& to, std::uint64_t entries, std::uint64_t offset,
                    std::uint64_t end) {
  constexpr std::uint64_t kBytesThatFollow = 44;
  Append(to, 4, kZip64End);
  Append(to, 8, kBytesThatFollow);
  Append(to, 2, kZip64Version);
  Append(to, 2, kZip64Version);
  Append(to, 8, 0);  // this disk, and that of the directory
  Append(to, 8, entries);
  Append(to, 8, entries);
  Append(to, 8, end - offset);
  Append(to, 8, offset);
  Append(to, 4, kZip64Locator);
  Append(to, 4, 0);  // the disk of the record above
  Append(to, 8, end);
  Append(to, 4, 1);  // disks in all
}

}  // namespace

std::uint32_t Checksum(std::uint32_t checksum, std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(checksum, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::string LocalHeader(const Entry& entry, std::uint16_t alignment) {
  std::string extra = LongSizes(entry, /*with_offset=*/false);
  const bool is_long = !extra.empty();
  extra += Padding(entry.offset + kLocalHeaderBytes + entry.name.size() + extra.size(), alignment);
  std::string header;
  Append(header, 4, kLocalHeader);
  return header + CommonFields(entry, extra, is_long) + entry.name + extra;
}

std::string Directory(std::span<const Entry> entries, std::uint64_t offset) {
  std::string directory;
  for (const Entry& entry : entries) directory += CentralHeader(entry);
  const std::uint64_t bytes = directory.size();
  if (entries.size() >= 0xFFFF || IsLong(bytes) || IsLong(offset)) {
    AppendZip64End(directory, entries.size(), offset, offset + bytes);
  }
  Append(directory, 4, kEnd);
  Append(directory, 4, 0);  // this disk, and that of the directory
  AppendUpTo(directory, 2, entries.size());
  AppendUpTo(directory, 2, entries.size());
  AppendUpTo(directory, 4, bytes);
  AppendUpTo(directory, 4, offset);
  Append(directory, 2, 0);  // comment
  return directory;
}

}  // namespace weir::zip
