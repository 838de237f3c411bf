#include "stages/files/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "framework/error.h"
#include "framework/write_error.h"

namespace weir {
namespace {

constexpr const char* kPartial = ".partial";

std::filesystem::path FolderOf(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code unknown;
  const std::filesystem::file_status there = std::filesystem::status(path_, unknown);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there)) {
    throw Error(ErrorKind::kData, path_.string() + " is there and is no file that can be replaced",
                "Give another path.");
  }
  temporary_ = FolderOf(path_) /
               ("." + path_.filename().string() + "." + std::to_string(::getpid()) + kPartial);
  file_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) ThrowErrno("cannot be made");
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ThrowErrno("cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::WriteAt(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ThrowErrno("cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void AtomicFile::ReadAt(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t read = ::pread(file_, out.data(), out.size(), static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read == 0) errno = EIO;  // it ends before what was written
    if (read <= 0) ThrowErrno("cannot be read again");
    out = out.subspan(static_cast<std::size_t>(read));
    offset += static_cast<std::uint64_t>(read);
  }
}

void AtomicFile::Commit() {
  if (::fsync(file_) != 0) ThrowErrno("cannot be written");
  const int closed = ::close(file_);
  file_ = -1;
  if (closed != 0) ThrowErrno("cannot be written");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) ThrowErrno("cannot be replaced");
  temporary_.clear();
  // The new name must be on the disk too. A file system that cannot say so is not an error.
  const int folder = ::open(FolderOf(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

void AtomicFile::ThrowErrno(const char* doing) const {
  throw WriteError(path_, doing, errno, "write to another place");
}

void RemovePartialFiles(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') && name.ends_with(kPartial)) {
      std::filesystem::remove(entry.path(), error);
    }
  }
}

}  // namespace weir
