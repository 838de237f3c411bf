// The bytes of an opened file, or of a part of one, read at any offset.
//
// Never blocks on what is not a file: a directory, a pipe or a device is refused before it is read.
// One thread an object. Holds 4 KB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "framework/flow/stage.h"
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

  int descriptor() const { return descriptor_; }  // that of the whole file
  std::uint64_t size() const { return size_; }

  // How many of `count` bytes from `offset`, in the part, there are; fewer than asked for only at
  // the end, or where they cannot be read (failure()).
  std::size_t ReadSome(std::uint64_t offset, void* to, std::size_t count) const;

  // Why bytes that there are could not be read, "cannot be read: Input/output error": what was read
  // then looks as if it ended early. Empty where all could.
  std::string failure() const;

  // Whether the file is still what it was when it was opened.
  bool IsUnchanged() const;

  // Reads all `count` bytes, by way of a window, so that reading a header field by field costs few
  // system calls. False where the part ends before.
  bool Read(std::uint64_t offset, void* to, std::size_t count);

 private:
  explicit FileBytes(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  std::uint64_t begin_ = 0;  // in the file
  std::uint64_t size_ = 0;
  FileStamp stamp_;
  mutable int error_ = 0;  // the errno of the first read that failed
  std::array<unsigned char, 4096> window_;
  std::uint64_t window_at_ = 0;
  std::size_t window_bytes_ = 0;
};

}  // namespace weir
