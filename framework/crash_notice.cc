#include "framework/crash_notice.h"

#include <unistd.h>

#include <array>
#include <atomic>

#include "framework/error.h"

namespace weir {
namespace {

constexpr std::array kCrashes = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

struct Text {
  std::atomic<const char*> begin = nullptr;
  std::size_t bytes = 0;
};
Text shown;

extern "C" void ShowAndEnd(int) {
  if (const char* text = shown.begin.load(std::memory_order_acquire)) {
    static_cast<void>(!write(STDERR_FILENO, text, shown.bytes));
  }
  _exit(static_cast<int>(ErrorKind::kConfig));
}

}  // namespace

CrashNotice::CrashNotice(const std::string& what, const std::string& remedy)
    : text_("weir: " + what + "\n  " + remedy + "\n") {
  static_assert(kCrashes.size() == kSignals);
  if (shown.begin.load(std::memory_order_acquire) != nullptr) return;
  is_first_ = true;
  shown.bytes = text_.size();
  shown.begin.store(text_.data(), std::memory_order_release);
  struct sigaction action = {};
  action.sa_handler = ShowAndEnd;
  for (std::size_t i = 0; i < kSignals; ++i) sigaction(kCrashes[i], &action, &before_[i]);
}

CrashNotice::~CrashNotice() {
  if (!is_first_) return;
  for (std::size_t i = 0; i < kSignals; ++i) sigaction(kCrashes[i], &before_[i], nullptr);
  shown.begin.store(nullptr, std::memory_order_release);
}

}  // namespace weir
