#include "stages/model/weights/containers/zip_directory.h"

#include <zlib.h>

#include <algorithm>
#include <optional>

#include "framework/error.h"
#include "framework/text.h"
#include "stages/files/byte_reader.h"
#include "stages/files/zip_records.h"

// Layout and signatures: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 to 4.3.16 and 4.5.3.
namespace weir {
namespace {

constexpr std::size_t kLocalHeaderBytes = 30;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kZip64LocatorBytes = 20;
constexpr std::size_t kMaxCommentBytes = 0xFFFF;
constexpr std::uint16_t kEncrypted = 1;
constexpr std::size_t kMostEntries = 131'072;

struct CentralHeader {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t local_offset = 0;
  std::string_view name;
};

struct DirectoryPlace {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

std::optional<std::size_t> FindEnd(std::span<const std::byte> file) {
  if (file.size() < kEndBytes) return std::nullopt;
  const std::size_t last = file.size() - kEndBytes;
  const std::size_t first = last - std::min(last, kMaxCommentBytes);
  for (std::size_t at = last + 1; at-- > first;) {
    if (ByteReader(file, at).Read<std::uint32_t>() == zip::kEnd) return at;
  }
  return std::nullopt;
}

std::optional<DirectoryPlace> FindDirectory(std::span<const std::byte> file) {
  const auto end = FindEnd(file);
  if (!end) return std::nullopt;
  DirectoryPlace place;
  ByteReader reader(file, *end + 12);
  place.bytes = reader.Read<std::uint32_t>().value_or(0);
  place.offset = reader.Read<std::uint32_t>().value_or(0);
  if (*end < kZip64LocatorBytes) return place;

  ByteReader locator(file, *end - kZip64LocatorBytes);
  if (locator.Read<std::uint32_t>() != zip::kZip64Locator) return place;
  locator.Take(4);  // number of the disk
  const auto zip64_end = locator.Read<std::uint64_t>();
  if (!zip64_end || *zip64_end > file.size()) return std::nullopt;
  ByteReader record(file, *zip64_end);
  if (record.Read<std::uint32_t>() != zip::kZip64End || !record.Take(36)) return std::nullopt;
  const auto bytes = record.Read<std::uint64_t>();
  const auto offset = record.Read<std::uint64_t>();
  if (!bytes || !offset) return std::nullopt;
  return DirectoryPlace{.offset = *offset, .bytes = *bytes};
}

// Replaces the sizes that did not fit 32 bits, in the order in which they are stored.
bool ApplyZip64(std::span<const std::byte> extra, CentralHeader& header) {
  ByteReader reader(extra);
  while (reader.remaining() >= 4) {
    const auto id = reader.Read<std::uint16_t>();
    const auto field = reader.Take(reader.Read<std::uint16_t>().value_or(0));
    if (!field) return false;
    if (id != zip::kZip64Extra) continue;
    ByteReader sizes(*field);
    for (std::uint64_t* size : {&header.bytes, &header.compressed_bytes, &header.local_offset}) {
      if (*size != zip::kInZip64) continue;
      const auto wide = sizes.Read<std::uint64_t>();
      if (!wide) return false;
      *size = *wide;
    }
  }
  return true;
}

std::optional<CentralHeader> ReadCentralHeader(ByteReader& reader) {
  const auto fixed = reader.Take(46);
  if (!fixed) return std::nullopt;
  ByteReader fields(*fixed);
  if (fields.Read<std::uint32_t>() != zip::kCentralHeader) return std::nullopt;
  fields.Take(4);  // versions
  CentralHeader header;
  header.flags = *fields.Read<std::uint16_t>();
  header.method = *fields.Read<std::uint16_t>();
  fields.Take(4);  // time and date
  header.crc32 = *fields.Read<std::uint32_t>();
  header.compressed_bytes = *fields.Read<std::uint32_t>();
  header.bytes = *fields.Read<std::uint32_t>();
  const auto name_bytes = *fields.Read<std::uint16_t>();
  const auto extra_bytes = *fields.Read<std::uint16_t>();
  const auto comment_bytes = *fields.Read<std::uint16_t>();
  fields.Take(8);  // disk, attributes
  header.local_offset = *fields.Read<std::uint32_t>();
  const auto name = reader.Take(name_bytes);
  const auto extra = reader.Take(extra_bytes);
  if (!name || !extra || !reader.Take(comment_bytes)) return std::nullopt;
  header.name = AsText(*name);
  if (!ApplyZip64(*extra, header)) return std::nullopt;
  return header;
}

std::optional<std::span<const std::byte>> Contents(std::span<const std::byte> file,
                                                   const CentralHeader& header) {
  if (header.local_offset > file.size()) return std::nullopt;
  ByteReader reader(file, header.local_offset);
  const auto fixed = reader.Take(kLocalHeaderBytes);
  if (!fixed) return std::nullopt;
  if (ByteReader(*fixed).Read<std::uint32_t>() != zip::kLocalHeader) return std::nullopt;
  ByteReader lengths(*fixed, 26);
  const auto name_bytes = *lengths.Read<std::uint16_t>();
  const auto extra_bytes = *lengths.Read<std::uint16_t>();
  if (!reader.Take(name_bytes) || !reader.Take(extra_bytes)) return std::nullopt;
  return reader.Take(header.compressed_bytes);
}

}  // namespace

bool ZipEntry::Intact() const {
  return is_stored &&
         ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == crc32;
}

bool ZipDirectory::LooksLikeZip(std::span<const std::byte> file) {
  return ByteReader(file).Read<std::uint32_t>() == zip::kLocalHeader;
}

ZipDirectory::ZipDirectory(std::span<const std::byte> file, const std::string& file_name) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kData, file_name + ": " + what,
                "the file is cut short or damaged: copy or download it again");
  };
  const auto place = FindDirectory(file);
  if (!place || place->offset > file.size() || place->bytes > file.size() - place->offset) {
    refuse("the zip file has no directory at its end");
  }
  ByteReader reader(file.subspan(place->offset, place->bytes));
  while (reader.remaining() > 0) {
    const auto header = ReadCentralHeader(reader);
    if (!header) refuse("the directory of the zip file is damaged");
    const std::string name = Printable(header->name);
    if (entries_.size() == kMostEntries) {
      refuse("the zip file has more than " + std::to_string(kMostEntries) + " entries");
    }
    if (header->flags & kEncrypted) refuse("entry '" + name + "' is encrypted");
    const bool is_stored = header->method == 0;
    if (is_stored && header->bytes != header->compressed_bytes) {
      refuse("entry '" + name + "' has two sizes");
    }
    const auto bytes = Contents(file, *header);
    if (!bytes) refuse("entry '" + name + "' lies outside the file");
    if (!entries_.emplace(header->name, ZipEntry{*bytes, header->crc32, is_stored}).second) {
      refuse("entry '" + name + "' is there twice");
    }
  }
}

const ZipEntry* ZipDirectory::Find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace weir
