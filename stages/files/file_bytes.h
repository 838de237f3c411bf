// The bytes of an opened file, or of a part of one, read at any offset: of a file here, or of a
// ByteSource.
//
// Never blocks on what is not a file: a directory, a pipe or a device is refused before it is read.
// A source behind a network is waited for, and asked for its bytes_at_once(). One thread an object.
// Holds 4 KB, and as many bytes as such a source is asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "framework/flow/stage.h"
#include "stages/byte_source.h"
#include "stages/file_stamp.h"
#include "stages/payloads.h"

namespace weir {

class FileBytes {
 public:
  // A Drop (without a sample) where there is nothing to read: "is a directory", "is empty"; or the
  // file is not what it was when the part was found.
  static Outcome<FileBytes> Open(const FilePart& part);
  FileBytes(FileBytes&& other) noexcept;
  FileBytes& operator=(FileBytes&&) = delete;
  ~FileBytes();

  int descriptor() const { return descriptor_; }  // that of the whole file; -1 for a ByteSource
  std::uint64_t size() const { return size_; }

  // How many of `count` bytes from `offset`, in the part, there are; fewer than asked for only at
  // the end, or where they cannot be read (failure()).
  std::size_t ReadSome(std::uint64_t offset, void* to, std::size_t count) const;

  // Why bytes that there are could not be read, "cannot be read: Input/output error": what was read
  // then looks as if it ended early. Empty where all could.
  const std::string& failure() const { return failure_; }

  // Throws what the source has thrown, if it has: nothing may be thrown through the decoders, which
  // are C's, so that it is kept until they have returned. Nothing is read meanwhile.
  void RethrowFailure() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

  // Whether the file is still what it was when it was opened. A source's bytes always are.
  bool IsUnchanged() const;

  // Reads all `count` bytes, by way of a window, so that reading a header field by field costs few
  // system calls. False where the part ends before.
  bool Read(std::uint64_t offset, void* to, std::size_t count);

 private:
  explicit FileBytes(int descriptor) : descriptor_(descriptor) {}
  static Outcome<FileBytes> OpenSource(const FilePart& part);
  void TakePart(const FilePart& part, std::uint64_t file_size);
  std::size_t ReadFile(std::uint64_t offset, char* to, std::size_t count) const;
  std::size_t ReadSource(std::uint64_t offset, char* to, std::size_t count) const;

  // What was asked of a source at once, and is read from in pieces.
  struct Block {
    std::uint64_t begin = 0;  // in the part
    std::vector<char> bytes;
  };

  int descriptor_;
  std::shared_ptr<const ByteSource> source_;  // null for a file here
  std::uint64_t begin_ = 0;                   // in the file
  std::uint64_t size_ = 0;
  FileStamp stamp_;
  mutable std::string failure_;        // what the first read that failed says
  mutable std::exception_ptr thrown_;  // by the source, then
  mutable Block block_;
  std::array<unsigned char, 4096> window_;
  std::uint64_t window_at_ = 0;
  std::size_t window_bytes_ = 0;
};

}  // namespace weir
