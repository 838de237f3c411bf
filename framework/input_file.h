// A file that somebody names on the command line or in a configuration, opened without waiting.
//
// A folder, a named pipe, a socket or a device is refused at once, where reading it could wait for
// ever or never end. A pipe without a name is read: it comes from a shell that has started its
// writer already (`weir plan /dev/stdin`, `weir plan <(sed ... base.yaml)`).
//
// One thread an object. Holds one descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace weir {

class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  // Why it cannot be read, to stand behind its path: "is a folder, not a file", "cannot be opened:
  // Permission denied". Empty where it can.
  const std::string& problem() const { return problem_; }

  // The next bytes, up to `bytes` of them; fewer only at the end, or where problem() says why.
  std::size_t Read(void* to, std::size_t bytes);

  // The same from `offset` on, which only a regular file has.
  std::size_t ReadAt(std::uint64_t offset, void* to, std::size_t bytes);

  // The next bytes up to the end, `most_bytes` at most.
  std::string ReadText(std::size_t most_bytes);

 private:
  int file_ = -1;
  std::string problem_;
};

}  // namespace weir
