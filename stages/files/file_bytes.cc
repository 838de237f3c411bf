#include "stages/files/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace weir {

Outcome<FileBytes> FileBytes::Open(const FilePart& part) {
  // Without O_NONBLOCK the opening of a pipe waits for its writer.
  const int descriptor = open(part.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0)
    return Drop{"", std::string("cannot be opened: ") + std::generic_category().message(errno)};
  FileBytes file(descriptor);
  struct stat status = {};
  if (fstat(descriptor, &status) != 0) {
    return Drop{"", std::string("cannot be read: ") + std::generic_category().message(errno)};
  }
  if (S_ISDIR(status.st_mode)) return Drop{"", "is a directory"};
  if (!S_ISREG(status.st_mode)) return Drop{"", "is not a regular file"};
  file.stamp_ = FileStamp::Of(status);
  if (part.stamp && *part.stamp != file.stamp_) {
    return Drop{"", "lies in a file that was changed since its parts were listed"};
  }
  const auto file_size = static_cast<std::uint64_t>(status.st_size);
  file.begin_ = std::min(part.begin, file_size);
  file.size_ = std::min(part.size, file_size - file.begin_);
  if (file.size_ == 0) return Drop{"", "is empty"};
  return file;
}

FileBytes::FileBytes(FileBytes&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      begin_(other.begin_),
      size_(other.size_),
      stamp_(other.stamp_),
      error_(other.error_) {}

FileBytes::~FileBytes() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::size_t FileBytes::ReadSome(std::uint64_t offset, void* to, std::size_t count) const {
  if (offset >= size_) return 0;
  count = std::min<std::uint64_t>(count, size_ - offset);
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = pread(descriptor_, static_cast<char*>(to) + done, count - done,
                              static_cast<off_t>(begin_ + offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && error_ == 0) error_ = errno;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::string FileBytes::failure() const {
  return error_ == 0 ? ""
                     : std::string("cannot be read: ") + std::generic_category().message(error_);
}

bool FileBytes::IsUnchanged() const {
  struct stat status = {};
  return fstat(descriptor_, &status) == 0 && FileStamp::Of(status) == stamp_;
}

bool FileBytes::Read(std::uint64_t offset, void* to, std::size_t count) {
  if (offset > size_ || count > size_ - offset) return false;
  if (count > window_.size()) return ReadSome(offset, to, count) == count;
  if (offset < window_at_ || offset + count > window_at_ + window_bytes_) {
    window_bytes_ = ReadSome(offset, window_.data(), window_.size());
    window_at_ = offset;
    if (window_bytes_ < count) return false;
  }
  std::memcpy(to, window_.data() + (offset - window_at_), count);
  return true;
}

}  // namespace weir
