#include "stages/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "framework/error.h"
#include "framework/mapped_range.h"
#include "stages/file_stamp.h"
#include "stages/files/unnamed_file.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void ThrowOpenError(const fs::path& path, const std::string& reason) {
  throw Error(ErrorKind::kData, path.string() + ": cannot be read: " + reason,
              "check the path and the file's permissions");
}

[[noreturn]] void ThrowErrno(const fs::path& path) {
  ThrowOpenError(path, std::generic_category().message(errno));
}

}  // namespace

class MappedFile::Mapping {
 public:
  // Takes the descriptor over. `path` is for messages.
  Mapping(fs::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {
    try {
      Map();
    } catch (...) {
      Release();
      throw;
    }
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    range_.reset();
    Release();
  }

  static std::shared_ptr<const Mapping> Of(const fs::path& path) {
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) ThrowErrno(path);
    return std::make_shared<const Mapping>(path, descriptor);
  }

  std::span<const std::byte> bytes() const { return bytes_; }
  int descriptor() const { return descriptor_; }

  void CheckUnchanged() const {
    const FileStamp now = Stamp();
    if (now == stamp_ && !(range_ && range_->was_cut())) return;
    const std::string there = std::to_string(now.bytes), before = std::to_string(stamp_.bytes);
    const std::string what = now.bytes < stamp_.bytes ? "was cut short while it was in use, to " +
                                                            there + " bytes of " + before
                             : now == stamp_ ? "cannot be read from its disk"
                                             : "was written to while it was in use";
    throw Error(ErrorKind::kData, path_.string() + ": " + what,
                "put it back as it was, and leave it alone while it is in use");
  }

  // Waits until a file that was written to just now has an older stamp than what is written next:
  // the kernel's clock for files goes on in steps, of 10 ms at most.
  void OutliveStamp() const {
    using Clock = std::chrono::system_clock;
    constexpr std::chrono::milliseconds kStep(20);
    const Clock::time_point written{
        std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(stamp_.changed_ns))};
    const Clock::time_point now = Clock::now();
    if (written <= now && now < written + kStep) std::this_thread::sleep_until(written + kStep);
  }

 private:
  void Map() {
    struct stat status = {};
    if (::fstat(descriptor_, &status) != 0) ThrowErrno(path_);
    if (!S_ISREG(status.st_mode)) {
      ThrowOpenError(path_,
                     S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
    }
    stamp_ = FileStamp::Of(status);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return;  // mmap refuses an empty range
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor_, 0);
    if (address == MAP_FAILED) ThrowErrno(path_);
    bytes_ = {static_cast<const std::byte*>(address), size};
    range_.emplace(bytes_);
  }

  void Release() const {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    ::close(descriptor_);
  }

  FileStamp Stamp() const {
    struct stat status = {};
    if (::fstat(descriptor_, &status) != 0) ThrowErrno(path_);
    return FileStamp::Of(status);
  }

  const fs::path path_;
  const int descriptor_;
  FileStamp stamp_;
  std::span<const std::byte> bytes_;
  std::optional<MappedRange> range_;
};

MappedFile::MappedFile(const fs::path& path) : mapping_(Mapping::Of(path)) {}

MappedFile MappedFile::Kept(const fs::path& path, const fs::path& folder) {
  MappedFile file(path);
  std::optional<UnnamedFile> copy = UnnamedFile::Make(folder);
  // A copy leaves at least as much room to others as it takes.
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  const bool has_room = !error && space.available / 2 > file.bytes().size();
  if (!copy || !has_room || copy->is_in_memory()) return file;
  file.mapping_->OutliveStamp();
  const bool is_copied =
      copy->AppendFile(file.mapping_->descriptor()) && copy->size() == file.bytes().size();
  file.CheckUnchanged();
  const int descriptor = is_copied ? ::fcntl(copy->descriptor(), F_DUPFD_CLOEXEC, 0) : -1;
  if (descriptor < 0) return file;
  // Pages that are not on the disk yet cannot be taken back where a container's memory is short.
  ::sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
  return MappedFile(std::make_shared<const Mapping>(path, descriptor));
}

std::span<const std::byte> MappedFile::bytes() const { return mapping_->bytes(); }

void MappedFile::CheckUnchanged() const { mapping_->CheckUnchanged(); }

}  // namespace weir
