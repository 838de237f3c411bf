// A file's bytes, mapped read-only: what is not touched is never read, and what is counts as the
// page cache's memory rather than the process' own.
//
// A small handle on one mapping, which ends with the last copy of it. The file stays what it was
// where it is removed, or replaced by rename; where somebody writes to it or cuts it short, what is
// read may be anything (zeros, behind its new end), and CheckUnchanged() says so. Any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace weir {

class MappedFile {
 public:
  // Throws Error(kData) if it cannot be opened or is not a regular file.
  explicit MappedFile(const std::filesystem::path& path);

  // Maps a copy of the file, so that the bytes stay what they are now whatever becomes of it. The
  // copy lies in `folder` without a name, takes the file's size on the disk, and ends with the
  // process, whatever ends that. Where `folder` cannot be written, has not twice that room, or lies
  // in memory, the file itself is mapped. Throws Error(kData) as above, and where somebody writes
  // to the file meanwhile.
  static MappedFile Kept(const std::filesystem::path& path, const std::filesystem::path& folder);

  std::span<const std::byte> bytes() const;

  // Throws Error(kData) where the file is not what it was any more.
  void CheckUnchanged() const;

 private:
  class Mapping;
  explicit MappedFile(std::shared_ptr<const Mapping> mapping) : mapping_(std::move(mapping)) {}

  std::shared_ptr<const Mapping> mapping_;
};

}  // namespace weir
