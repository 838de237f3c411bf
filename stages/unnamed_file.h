// A file that has no name and so ends with the process, whatever ends that: what takes room for the
// time of a run, on a disk.
//
// One thread. Where the disk refuses, members give false or nothing, and errno.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

class UnnamedFile {
 public:
  // In `folder`, which is made where it is not there.
  static std::optional<UnnamedFile> Make(const std::filesystem::path& folder);
  UnnamedFile(UnnamedFile&& other) noexcept;
  UnnamedFile& operator=(UnnamedFile&&) = delete;
  ~UnnamedFile();

  bool Append(std::string_view bytes);
  // All of another file.
  bool AppendFile(int descriptor);

  std::uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }
  // Under which this process, and no other, can open it.
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  // Whether it lies in memory, as in a tmpfs, and so takes what it was to save.
  bool is_in_memory() const;

 private:
  explicit UnnamedFile(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace weir
