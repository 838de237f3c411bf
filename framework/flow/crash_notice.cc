#include "framework/flow/crash_notice.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <string_view>

#include "framework/error.h"
#include "framework/flow/stopwatch.h"
#include "framework/mapped_range.h"

namespace weir {
namespace {

constexpr std::array<int, kCrashSignals> kCrashes = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

struct Text {
  std::atomic<const char*> begin = nullptr;
  std::size_t bytes = 0;
};
Text shown;

extern "C" void ShowAndEnd(int signal, siginfo_t* fault, void*) {
  if (signal == SIGBUS && MendMappedRange(*fault)) return;
  if (const char* text = shown.begin.load(std::memory_order_acquire)) {
    static_cast<void>(!write(STDERR_FILENO, text, shown.bytes));
  }
  _exit(static_cast<int>(ErrorKind::kConfig));
}

void Say(std::string_view text) {
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
}

std::string_view NameOf(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    default:
      return "SIGABRT";
  }
}

extern "C" void NameStageAndEnd(int signal, siginfo_t* fault, void*) {
  if (signal == SIGBUS && MendMappedRange(*fault)) return;
  if (const Stopwatch* work = Stopwatch::InThread()) {
    Say("weir: stage ");
    Say(work->stage());
    Say(" crashed: ");
    Say(NameOf(signal));
    Say("\n  If it is a plugin's, take it out, or see to it in a debugger.\n");
  }
  std::signal(signal, SIG_DFL);
  raise(signal);
}

}  // namespace

CrashAtWork::CrashAtWork() {
  WatchMappedRanges();
  struct sigaction action = {};
  action.sa_sigaction = NameStageAndEnd;
  action.sa_flags = SA_SIGINFO;
  for (std::size_t i = 0; i < kCrashes.size(); ++i) {
    sigaction(kCrashes[i], nullptr, &before_[i]);
    if (before_[i].sa_handler == SIG_DFL || IsMappedRangeHandler(before_[i])) {
      sigaction(kCrashes[i], &action, nullptr);
    }
  }
}

CrashAtWork::~CrashAtWork() {
  for (std::size_t i = 0; i < kCrashes.size(); ++i) {
    sigaction(kCrashes[i], &before_[i], nullptr);
  }
}

CrashNotice::CrashNotice(const std::string& what, const std::string& remedy)
    : text_("weir: " + what + "\n  " + remedy + "\n") {
  if (shown.begin.load(std::memory_order_acquire) != nullptr) return;
  is_first_ = true;
  WatchMappedRanges();
  shown.bytes = text_.size();
  shown.begin.store(text_.data(), std::memory_order_release);
  struct sigaction action = {};
  action.sa_sigaction = ShowAndEnd;
  action.sa_flags = SA_SIGINFO;
  for (std::size_t i = 0; i < kCrashSignals; ++i) sigaction(kCrashes[i], &action, &before_[i]);
}

CrashNotice::~CrashNotice() {
  if (!is_first_) return;
  for (std::size_t i = 0; i < kCrashSignals; ++i) sigaction(kCrashes[i], &before_[i], nullptr);
  shown.begin.store(nullptr, std::memory_order_release);
}

}  // namespace weir
