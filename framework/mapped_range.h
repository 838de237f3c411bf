// A range of memory that shows a file, which others may cut short meanwhile.
//
// A look behind the new end of such a file ends a process by SIGBUS, and so does a disk that cannot
// be read. In a MappedRange what is not there any more reads as zeros in place of that, and
// was_cut() says so: who reads asks it before what was read is used.
//
// The first one sets a handler of SIGBUS for the whole process, for good. A SIGBUS anywhere else
// goes to the handler that was there before, or ends the process as it would have. Any thread; a
// range costs 40 bytes.
#pragma once

#include <atomic>
#include <csignal>
#include <cstddef>
#include <span>

namespace weir {

class MappedRange {
 public:
  // `bytes` begin at a page, as mmap gives them, and are unmapped only when this has ended.
  explicit MappedRange(std::span<const std::byte> bytes);
  MappedRange(const MappedRange&) = delete;
  MappedRange& operator=(const MappedRange&) = delete;
  ~MappedRange();

  bool was_cut() const;

 private:
  struct Watched;
  friend bool MendMappedRange(const siginfo_t& fault) noexcept;

  static Watched* Take();

  static std::atomic<Watched*> first;  // the head of the list of all places
  Watched* const watched_;
};

// For other handlers of SIGBUS, which ask this first: whether the fault was in a MappedRange. It
// reads as zeros then, and the handler returns.
bool MendMappedRange(const siginfo_t& fault) noexcept;

// Sets the handler where it is not set yet. A handler that comes and goes is set behind it, so that
// this one is there again when the other has gone.
void WatchMappedRanges();

// Whether a SIGBUS goes to that handler, and would end the process without it.
bool IsMappedRangeHandler(const struct sigaction& action);

}  // namespace weir
