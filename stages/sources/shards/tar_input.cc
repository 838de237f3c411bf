#include "stages/sources/shards/tar_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "framework/error.h"

namespace weir {
namespace {

class TarFile final : public TarInput {
 public:
  explicit TarFile(const std::string& path) : path_(path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      throw Error(ErrorKind::kData,
                  path + (std::filesystem::exists(path, error) ? " is no file" : " does not exist"),
                  "Name tar files, folders of them, or a range: photos-{000000..000003}.tar.");
    }
    stamp_ = StampNow();
    file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ >= 0) return;
    const std::string reason = std::generic_category().message(errno);
    throw Error(ErrorKind::kData, path + " cannot be opened: " + reason,
                "Give this user the right to read it, or leave it out.");
  }
  TarFile(const TarFile&) = delete;
  TarFile& operator=(const TarFile&) = delete;
  ~TarFile() override { ::close(file_); }

  const std::string& name() const override { return path_; }
  const FileStamp& stamp() const override { return stamp_; }
  bool Close() override { return StampNow() == stamp_; }

  std::array<unsigned char, 2> FirstTwo() override {
    std::array<unsigned char, 2> first = {};
    if (::pread(file_, first.data(), first.size(), 0) != 2) first = {};
    return first;
  }

  std::size_t Read(std::span<unsigned char> to) override {
    while (true) {
      const ssize_t got = ::read(file_, to.data(), to.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR) continue;
      throw Error(
          ErrorKind::kData,
          path_ + " cannot be read as a tar file: " + std::generic_category().message(errno),
          "Copy the shard anew, or leave it out.");
    }
  }

  bool Skip(std::uint64_t bytes) override {
    return ::lseek(file_, static_cast<off_t>(bytes), SEEK_CUR) >= 0;
  }

 private:
  FileStamp StampNow() const {
    struct stat status = {};
    return ::stat(path_.c_str(), &status) == 0 ? FileStamp::Of(status) : FileStamp{};
  }

  const std::string path_;
  FileStamp stamp_;
  int file_ = -1;
};

}  // namespace

std::unique_ptr<TarInput> OpenTarFile(const std::string& path) {
  return std::make_unique<TarFile>(path);
}

}  // namespace weir
