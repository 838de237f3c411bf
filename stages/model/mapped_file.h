// A file's bytes, mapped read-only: what is not touched is never read, and what is counts as the
// page cache's memory rather than the process' own.
//
// Any thread may read the bytes. Whoever truncates the file while it is mapped ends the process
// (SIGBUS); weir's own files are replaced by rename, never cut short.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace weir {

class MappedFile {
 public:
  // Throws Error(kData) if it cannot be opened or is not a regular file.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace weir
