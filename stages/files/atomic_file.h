// A file that is whole or absent: written beside its place under another name, flushed to the disk,
// and only then renamed. What stood there before stays until that instant.
//
//   AtomicFile file("model.safetensors");
//   file.Write(bytes);
//   file.Commit();     // without it, the destructor leaves no trace
//
// One thread at a time, and one AtomicFile of a path at a time in a process; of two processes, the
// one that commits last wins. Holds no buffer: write large pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace weir {

class AtomicFile {
 public:
  // All members throw Error(kData) with the path, the reason and what to do about it (WriteError);
  // the constructor also where a folder or a device is in its place.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  const std::filesystem::path& path() const { return path_; }  // what it will be called

  void Write(std::span<const std::byte> bytes);
  // Over what was written before; the next Write() goes on at the end all the same.
  void WriteAt(std::uint64_t offset, std::span<const std::byte> bytes);
  // Fills all of `out` with what was written there: for a library that reads its own file again.
  void ReadAt(std::uint64_t offset, std::span<std::byte> out) const;
  void Commit();

 private:
  [[noreturn]] void ThrowErrno(const char* doing) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int file_ = -1;
};

// Removes what AtomicFiles of processes that were killed left in `folder`; nothing where that is
// not there. Not while another process writes there.
void RemovePartialFiles(const std::filesystem::path& folder);

}  // namespace weir
