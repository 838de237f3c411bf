// The entries of a zip file that lies in memory, with zip64's long sizes. Every offset is checked
// before it is followed. Nothing is unpacked: torch.save and Keras store their entries as they are.
//
// Names and contents stay where they are: the bytes must outlive it. Immutable after construction.
// Limits: 131,072 entries, more than any model has tensors. Memory: 100 bytes an entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace weir {

struct ZipEntry {
  std::span<const std::byte> bytes;
  std::uint32_t crc32 = 0;
  bool is_stored = true;  // `bytes` are the contents; else they are compressed

  // Whether the contents are stored and have the checksum that the directory states; reads all.
  bool Intact() const;
};

class ZipDirectory {
 public:
  static bool LooksLikeZip(std::span<const std::byte> file);

  // Throws Error(kData) with `file_name` in front: a directory that is absent or broken, an entry
  // that is encrypted, out of range, or there twice, or too many.
  ZipDirectory(std::span<const std::byte> file, const std::string& file_name);

  // Null if there is none.
  const ZipEntry* Find(std::string_view name) const;
  const std::map<std::string_view, ZipEntry>& entries() const { return entries_; }

 private:
  std::map<std::string_view, ZipEntry> entries_;
};

}  // namespace weir
