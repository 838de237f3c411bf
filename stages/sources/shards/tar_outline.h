// What of a tar file has to be read to list it, headers and labels without pictures, kept in a file
// so that it need not be fetched again.
//
// The file is a gzip stream of records, each the place of some bytes in the tar file and the bytes,
// in the order of the places; numbers are little-endian, and a record of no bytes ends it. It is
// whole or absent, and is used only where its checksum holds.
//
// One thread. Holds zlib's state (44 KB to read, 270 KB to write) and 32 KB.
#pragma once

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "stages/files/atomic_file.h"

namespace weir {

class TarOutlineWriter {
 public:
  // Throws Error(kData) where the file cannot be made.
  explicit TarOutlineWriter(const std::filesystem::path& path);
  TarOutlineWriter(const TarOutlineWriter&) = delete;
  TarOutlineWriter& operator=(const TarOutlineWriter&) = delete;
  ~TarOutlineWriter();

  // Bytes of the tar file, behind all that were added. Throws Error(kData), as Commit() does, where
  // the disk refuses.
  void Add(std::uint64_t begin, std::span<const std::byte> bytes);

  // Puts the file in its place. Without it there is none.
  void Commit();

 private:
  void WriteRecord();
  void Deflate(std::span<const std::byte> bytes, int flush);

  AtomicFile file_;
  z_stream stream_{};
  std::uint64_t begin_ = 0;        // where the record that is gathered begins
  std::vector<std::byte> record_;  // its bytes
};

class TarOutlineReader {
 public:
  // Nothing where there is no whole file.
  static std::optional<TarOutlineReader> Open(const std::filesystem::path& path);
  // Gives how many bytes from `position` in the tar file on are here; 0 where it is not, or was
  // passed already. Positions only grow.
  std::size_t Read(std::uint64_t position, std::span<unsigned char> to);

 private:
  explicit TarOutlineReader(gzFile file) : file_(file) {}
  bool NextRecord();
  bool IsWhole();

  struct Close {
    void operator()(gzFile file) const { ::gzclose(file); }
  };

  std::unique_ptr<gzFile_s, Close> file_;
  std::uint64_t begin_ = 0;  // where the record begins
  std::vector<unsigned char> record_;
  bool is_over_ = false;
};

}  // namespace weir
