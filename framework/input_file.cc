#include "framework/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace weir {
namespace {

std::string Failed(const std::string& doing, int error) {
  return "cannot be " + doing + ": " + std::generic_category().message(error);
}

// All pipes without a name are on one file system of the kernel's own.
bool HasNoName(const struct stat& pipe_status) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  struct stat other {};
  const bool is_known = ::fstat(ends[0], &other) == 0;
  ::close(ends[0]);
  ::close(ends[1]);
  return is_known && other.st_dev == pipe_status.st_dev;
}

// Why a file of that kind is not read; empty where it is.
std::string Refusal(const struct stat& status) {
  if (S_ISREG(status.st_mode)) return "";
  if (S_ISDIR(status.st_mode)) return "is a folder, not a file";
  if (S_ISSOCK(status.st_mode)) return "is a socket, not a file";
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) return "is a device, not a file";
  if (!S_ISFIFO(status.st_mode)) return "is no regular file";
  return HasNoName(status) ? "" : "is a named pipe, not a file";
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& path) {
  // Without O_NONBLOCK the opening of a named pipe waits for its writer; a socket cannot be opened.
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) problem_ = Refusal(status);
  if (!problem_.empty()) return;
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file_ < 0 || ::fstat(file_, &status) != 0) {
    problem_ = Failed("opened", errno);
    return;
  }
  problem_ = Refusal(status);  // What was opened counts, whatever stood there before.
  const int flags = ::fcntl(file_, F_GETFL);
  if (flags >= 0) ::fcntl(file_, F_SETFL, flags & ~O_NONBLOCK);
}

InputFile::~InputFile() {
  if (file_ >= 0) ::close(file_);
}

std::size_t InputFile::Read(void* to, std::size_t bytes) {
  auto* const begin = static_cast<char*>(to);
  std::size_t done = 0;
  while (problem_.empty() && done < bytes) {
    const ssize_t got = ::read(file_, begin + done, bytes - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) problem_ = Failed("read", errno);
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::size_t InputFile::ReadAt(std::uint64_t offset, void* to, std::size_t bytes) {
  auto* const begin = static_cast<char*>(to);
  std::size_t done = 0;
  while (problem_.empty() && done < bytes) {
    const ssize_t got =
        ::pread(file_, begin + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) problem_ = Failed("read", errno);
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::string InputFile::ReadText(std::size_t most_bytes) {
  constexpr std::size_t kStep = 64 << 10;  // bytes, so that a small file takes little memory
  std::string text;
  while (text.size() < most_bytes) {
    const std::size_t before = text.size();
    const std::size_t wanted = std::min(kStep, most_bytes - before);
    text.resize(before + wanted);
    const std::size_t got = Read(text.data() + before, wanted);
    text.resize(before + got);
    if (got < wanted) break;
  }
  return text;
}

}  // namespace weir
