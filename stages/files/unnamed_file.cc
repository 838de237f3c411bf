#include "stages/files/unnamed_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/sendfile.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace weir {

std::optional<UnnamedFile> UnnamedFile::Make(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    errno = error.value();
    return std::nullopt;
  }
  std::string name = (folder / "unnamed-XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  ::unlink(name.c_str());
  return UnnamedFile(descriptor);
}

UnnamedFile::UnnamedFile(UnnamedFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

UnnamedFile::~UnnamedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool UnnamedFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
  }
  return true;
}

bool UnnamedFile::AppendFile(int descriptor) {
  constexpr std::size_t kAtOnce = 16 << 20;
  off_t from = 0;
  while (true) {
    const ssize_t copied = ::sendfile(descriptor_, descriptor, &from, kAtOnce);
    if (copied < 0 && errno == EINTR) continue;
    if (copied <= 0) return copied == 0;
    size_ += static_cast<std::uint64_t>(copied);
  }
}

bool UnnamedFile::is_in_memory() const {
  struct statfs status = {};
  if (::fstatfs(descriptor_, &status) != 0) return false;
  return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

}  // namespace weir
