// Where the bytes of a tar file come from, one behind the other: a file here, or one on a server.
//
// One thread. A file here costs a descriptor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "stages/file_stamp.h"

namespace weir {

class TarInput {
 public:
  virtual ~TarInput() = default;

  virtual const std::string& name() const = 0;  // in messages
  virtual const FileStamp& stamp() const = 0;   // when it was opened
  // All was read of it that was wanted: whether it is still what it was when it was opened.
  virtual bool Close() = 0;

  virtual std::array<unsigned char, 2> FirstTwo() = 0;  // bytes; zeros where there are none

  // Gives how many bytes there are, 0 at the end. Throws Error(kData) where they cannot be read.
  virtual std::size_t Read(std::span<unsigned char> to) = 0;

  // Passes over bytes without a look at them; false where that cannot be.
  virtual bool Skip(std::uint64_t bytes) = 0;
};

// Throws Error(kData) where there is no such file, or it cannot be opened.
std::unique_ptr<TarInput> OpenTarFile(const std::string& path);

}  // namespace weir
