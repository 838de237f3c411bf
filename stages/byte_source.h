// Bytes that lie in no file of this machine: those of a file behind a network, or a part of them
// that is in memory already. FileBytes reads them as it reads files.
//
// Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "stages/file_stamp.h"

namespace weir {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;  // bytes in the whole file

  // What the file was when it was first looked at. It stays that: where the file is another one
  // later, Read() throws.
  virtual FileStamp stamp() const = 0;

  // A text that stands for these bytes in other runs too; empty where nothing vouches for that.
  virtual std::string identity() const = 0;

  // So many bytes should be asked for at once, as each question is slow; 0 where it costs nothing.
  virtual std::size_t bytes_at_once() const = 0;

  // Gives how many of `count` bytes from `offset` in the file there are; fewer only at its end.
  // Throws Error(kData) where they cannot be had, and Error(kInterrupted) where the run is to end
  // meanwhile: neither says anything about the sample.
  virtual std::size_t Read(std::uint64_t offset, void* to, std::size_t count) const = 0;
};

}  // namespace weir
