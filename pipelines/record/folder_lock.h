// Keeps a second run out of a run's folder: a lock on the file `.lock` in it, which names the
// process that has it.
//
// The kernel gives the lock back when the process ends, however that is: a killed run leaves none
// behind, and a process number that is given anew means nothing. It is an open file description
// lock (fcntl(2), F_OFD_SETLK), so that asking for its holder does not take it, and a network file
// system that knows locks has it for all machines. The file itself stays: removing it would let two
// runs lock two files of one name.
//
// One thread an object; holds one descriptor.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace weir {

class FolderLock {
 public:
  FolderLock() = default;  // locks nothing
  // Takes the lock at once or not at all. Throws Error(kConfig), which names the holder, where
  // another process has it, Error(kData) where the file cannot be made.
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

  // Why there is no lock, where the file system knows none: the run goes on without. Else empty.
  const std::string& problem() const { return problem_; }

  // Whether a process has the lock of that folder now; nothing where nobody can say.
  static std::optional<bool> IsHeld(const std::filesystem::path& folder);

 private:
  int file_ = -1;
  std::string problem_;
};

}  // namespace weir
