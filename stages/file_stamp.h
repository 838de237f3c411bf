// What a file was when it was looked at, to see later whether it still is.
//
// Its size and the time of its last change, in nanoseconds, tell one content from another; its
// inode does not take part, as network file systems change it for the same file.
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace weir {

struct FileStamp {
  std::int64_t bytes = 0;
  std::int64_t changed_ns = 0;  // nanoseconds since 1970

  static FileStamp Of(const struct stat& status) {
    return {status.st_size,
            status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec};
  }
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

}  // namespace weir
