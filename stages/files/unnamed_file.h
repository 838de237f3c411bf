// A file without a name, which ends with the process, whatever ends that: for what takes room on a
// disk as long as a run lasts.
//
// An object is for one thread and holds a descriptor. Where the disk refuses, members give false or
// nothing, and errno says why.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

class UnnamedFile {
 public:
  // Makes the file in `folder`, and that where it is not there.
  static std::optional<UnnamedFile> Make(const std::filesystem::path& folder);
  UnnamedFile(UnnamedFile&& other) noexcept;
  UnnamedFile& operator=(UnnamedFile&&) = delete;
  ~UnnamedFile();

  bool Append(std::string_view bytes);
  // Appends all of another file.
  bool AppendFile(int descriptor);

  std::uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }
  // The path under which this process, and no other, can open it.
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  // Whether the file lies in memory (tmpfs), and so takes what it was to save.
  bool is_in_memory() const;

 private:
  explicit UnnamedFile(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace weir
