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

Outcome<FileBytes> FileBytes::OpenSource(const FilePart& part) {
  FileBytes bytes(-1);
  bytes.source_ = part.source;
  bytes.TakePart(part, part.source->size());
  if (bytes.size_ == 0) return Drop{"", "is empty"};
  return bytes;
}

void FileBytes::TakePart(const FilePart& part, std::uint64_t file_size) {
  begin_ = std::min(part.begin, file_size);
  size_ = std::min(part.size, file_size - begin_);
}

Outcome<FileBytes> FileBytes::Open(const FilePart& part) {
  if (part.source) return OpenSource(part);
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
  file.TakePart(part, static_cast<std::uint64_t>(status.st_size));
  if (file.size_ == 0) return Drop{"", "is empty"};
  return file;
}

FileBytes::FileBytes(FileBytes&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      source_(std::move(other.source_)),
      begin_(other.begin_),
      size_(other.size_),
      stamp_(other.stamp_),
      failure_(std::move(other.failure_)),
      thrown_(std::move(other.thrown_)) {}

FileBytes::~FileBytes() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::size_t FileBytes::ReadSome(std::uint64_t offset, void* to, std::size_t count) const {
  if (offset >= size_) return 0;
  count = std::min<std::uint64_t>(count, size_ - offset);
  char* const bytes = static_cast<char*>(to);
  return source_ ? ReadSource(offset, bytes, count) : ReadFile(offset, bytes, count);
}

std::size_t FileBytes::ReadFile(std::uint64_t offset, char* to, std::size_t count) const {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got =
        pread(descriptor_, to + done, count - done, static_cast<off_t>(begin_ + offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && failure_.empty()) {
      failure_ = "cannot be read: " + std::generic_category().message(errno);
    }
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::size_t FileBytes::ReadSource(std::uint64_t offset, char* to, std::size_t count) const {
  const std::size_t at_once = source_->bytes_at_once();
  const auto read = [&](std::uint64_t from, char* into, std::size_t bytes) {
    if (thrown_) return std::size_t{0};
    try {
      return source_->Read(begin_ + from, into, bytes);
    } catch (const std::exception& error) {
      thrown_ = std::current_exception();
      failure_ = error.what();
      return std::size_t{0};
    }
  };
  if (count >= at_once) return read(offset, to, count);
  std::size_t done = 0;
  while (done < count) {
    const std::uint64_t from = offset + done;
    if (from < block_.begin || from >= block_.begin + block_.bytes.size()) {
      block_.begin = from;
      block_.bytes.resize(std::min<std::uint64_t>(at_once, size_ - from));
      block_.bytes.resize(read(from, block_.bytes.data(), block_.bytes.size()));
      if (block_.bytes.empty()) break;
    }
    const auto skipped = static_cast<std::size_t>(from - block_.begin);
    const std::size_t some = std::min(count - done, block_.bytes.size() - skipped);
    std::memcpy(to + done, block_.bytes.data() + skipped, some);
    done += some;
  }
  return done;
}

bool FileBytes::IsUnchanged() const {
  if (source_) return true;
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
