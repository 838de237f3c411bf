// The first directory of a TIFF or BigTIFF (TIFF 6.0, section 2; BigTIFF as libtiff specifies it).
// Nothing is held beside the entry that is being looked at.
//
//   TiffDirectory directory(file);
//   if (!directory.Open()) ...
//   while (const auto entry = directory.Next()) ...
//
// One thread an object.
#pragma once

#include <cstdint>
#include <optional>

#include "stages/files/file_bytes.h"

namespace weir {

struct TiffEntry {
  std::uint32_t tag = 0;
  std::uint32_t type = 0;
  std::uint64_t count = 0;
  std::uint64_t at = 0;  // where the values are, in the file
  std::uint64_t value_bytes = 0;
  std::uint64_t first = 0;  // the first value, where it is an integer
};

class TiffDirectory {
 public:
  // libtiff reads no directory of more entries.
  static constexpr std::uint64_t kMostEntries = 4096;

  // `file` outlives this.
  explicit TiffDirectory(FileBytes& file) : file_(file) {}

  // False where there is no directory.
  bool Open();

  std::uint64_t entries() const { return entries_; }  // as many as the directory says it has

  // Empty behind the last, behind kMostEntries, and at the end of the file.
  std::optional<TiffEntry> Next();

  // The value `index` of the entry. Empty where it is no integer, or behind the end of the file.
  std::optional<std::uint64_t> Value(const TiffEntry& entry, std::uint64_t index);

 private:
  std::uint64_t Number(const unsigned char* at, int bytes) const;

  FileBytes& file_;
  std::uint64_t at_ = 0;
  std::uint64_t entries_ = 0, left_ = 0;
  bool little_ = true, big_tiff_ = false;
};

}  // namespace weir
