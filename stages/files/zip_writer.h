// A zip archive, written into an AtomicFile. Nothing in it is compressed, and its bytes are a
// function of what is added. The contents of each entry begin at a multiple of the alignment, so
// that a reader can map them.
//
//   AtomicFile file("model.pth");
//   ZipWriter archive(file, 64);
//   archive.Add("model/version", "3\n");
//   archive.Close();
//   file.Commit();
//
// Members throw Error(kData) where the file does. Holds the names, and 100 bytes an entry. One
// thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stages/files/atomic_file.h"
#include "stages/files/zip_records.h"

namespace weir {

class ZipWriter {
 public:
  // `file` outlives it, and nothing else is written to it.
  ZipWriter(AtomicFile& file, std::uint16_t alignment) : file_(file), alignment_(alignment) {}

  void Add(const std::string& name, std::string_view content);

  // The same in pieces: so many `bytes` follow, by Write(). Throws Error(kInternal) where the entry
  // before got other than its own.
  void Begin(const std::string& name, std::uint64_t bytes);
  void Write(std::span<const std::byte> piece);

  // Nothing is added afterwards.
  void Close();

 private:
  void WriteText(std::string_view text);
  void EndEntry();

  AtomicFile& file_;
  const std::uint16_t alignment_;
  std::uint64_t written_ = 0;  // bytes of the file
  std::uint64_t missing_ = 0;  // bytes of the last entry that are still to come
  std::vector<zip::Entry> entries_;
};

}  // namespace weir
