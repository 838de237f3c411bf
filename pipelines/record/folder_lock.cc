#include "pipelines/record/folder_lock.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"
#include "framework/write_error.h"

namespace weir {
namespace {

constexpr const char* kName = ".lock";

struct flock WholeFile() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

// "process 1234 on host"
std::string OwnName() {
  utsname machine{};
  const std::string host = ::uname(&machine) == 0 ? std::string(" on ") + machine.nodename : "";
  return "process " + std::to_string(::getpid()) + host;
}

void WriteName(int file) {
  const std::string text = OwnName() + "\n";
  // What cannot be written is only a name: the lock holds without it.
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, text.data(), text.size(), 0) < 0) return;
}

std::string ReadName(int file) {
  std::array<char, 256> text{};
  const ssize_t bytes = ::pread(file, text.data(), text.size(), 0);
  std::string name(text.data(), static_cast<std::size_t>(bytes > 0 ? bytes : 0));
  name.resize(std::min(name.size(), name.find('\n')));
  return name.empty() ? "another process" : OneLine(name);
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kName;
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (file_ < 0) {
    throw WriteError(path, "cannot be made", errno, "give another place with --out");
  }
  struct flock lock = WholeFile();
  if (::fcntl(file_, F_OFD_SETLK, &lock) == 0) {
    WriteName(file_);
    return;
  }
  const int error = errno;
  const std::string holder = ReadName(file_);
  ::close(std::exchange(file_, -1));
  if (error == EAGAIN || error == EACCES) {
    throw Error(ErrorKind::kConfig, folder.string() + " is in use by another run: " + holder,
                "Wait until that one ends, or give another folder with --out.");
  }
  problem_ = path.string() + " cannot be locked (" + std::generic_category().message(error) +
             "): see to it yourself that no other run writes to this folder";
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : file_(std::exchange(other.file_, -1)), problem_(std::move(other.problem_)) {}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

std::optional<bool> FolderLock::IsHeld(const std::filesystem::path& folder) {
  const int file = ::open((folder / kName).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return std::nullopt;
  struct flock lock = WholeFile();
  const bool is_known = ::fcntl(file, F_OFD_GETLK, &lock) == 0;
  ::close(file);
  if (!is_known) return std::nullopt;
  return lock.l_type != F_UNLCK;
}

}  // namespace weir
