// Names who was at work where code that is not ours crashes: while one is there, a SIGSEGV, SIGBUS,
// SIGFPE, SIGILL or SIGABRT (an exception that nobody can catch) writes its text to standard error
// and ends the process with status 2, in place of a silent end by the signal.
//
// For the whole process; one at a time, others give way to the first. Its handler allocates
// nothing. A SIGBUS that mapped_range.h mends is no crash.
#pragma once

#include <csignal>
#include <cstddef>
#include <string>

namespace weir {

inline constexpr std::size_t kCrashSignals = 5;

class CrashNotice {
 public:
  // "plugin libsepia.so crashed while it was loaded". The remedy is a line of its own.
  CrashNotice(const std::string& what, const std::string& remedy);
  CrashNotice(const CrashNotice&) = delete;
  CrashNotice& operator=(const CrashNotice&) = delete;
  ~CrashNotice();

 private:
  std::string text_;
  bool is_first_ = false;
  struct sigaction before_[kCrashSignals] = {};
};

// The same while stages work, on any thread: names the one that the thread was in, and lets the
// signal end the process as it would have. A stack that overflows ends it without words. Nothing
// where something else looks after these signals already.
class CrashAtWork {
 public:
  CrashAtWork();
  CrashAtWork(const CrashAtWork&) = delete;
  CrashAtWork& operator=(const CrashAtWork&) = delete;
  ~CrashAtWork();

 private:
  struct sigaction before_[kCrashSignals] = {};
};

}  // namespace weir
