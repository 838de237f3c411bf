// A file in memory with a name, for readers that open a path.
//
//   static const MemoryFile file("table.csv");
//   Read(file.With(bytes));
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/scratch_folder.h"

namespace weir {

class MemoryFile {
 public:
  explicit MemoryFile(const std::string& name)
      : path_(folder_ / name), memory_(::memfd_create(name.c_str(), MFD_CLOEXEC)) {
    std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(memory_), path_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(memory_); }

  // Its path, with `bytes` for what was in it before.
  const std::filesystem::path& With(std::string_view bytes) const {
    if (::ftruncate(memory_, 0) != 0 ||
        ::pwrite(memory_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("cannot write " + path_.string());
    }
    return path_;
  }

 private:
  const ScratchFolder folder_;
  const std::filesystem::path path_;
  const int memory_;
};

}  // namespace weir
