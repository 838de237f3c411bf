#include "framework/mapped_range.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

namespace weir {

// A place in a list that only grows, so that a handler can walk it at any time. A place without a
// range has no addresses.
struct MappedRange::Watched {
  std::atomic<bool> is_taken{true};
  std::atomic<bool> was_cut{false};
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  Watched* next = nullptr;
};

namespace {

std::uintptr_t page_bytes = 0;  // set before the handler is
struct sigaction action_before = {};

extern "C" void MendOrPassOn(int signal, siginfo_t* fault, void* context) {
  if (MendMappedRange(*fault)) return;
  if (action_before.sa_flags & SA_SIGINFO)
    return action_before.sa_sigaction(signal, fault, context);
  if (action_before.sa_handler == SIG_IGN && fault->si_code <= 0) return;  // it was only sent
  if (action_before.sa_handler != SIG_DFL && action_before.sa_handler != SIG_IGN) {
    return action_before.sa_handler(signal);
  }
  std::signal(signal, SIG_DFL);
  raise(signal);
}

}  // namespace

std::atomic<MappedRange::Watched*> MappedRange::first{nullptr};

MappedRange::Watched* MappedRange::Take() {
  for (Watched* each = first; each; each = each->next) {
    if (!each->is_taken.exchange(true)) return each;
  }
  auto* const added = new Watched;  // it stays in the list
  added->next = first;
  while (!first.compare_exchange_weak(added->next, added)) {
  }
  return added;
}

MappedRange::MappedRange(std::span<const std::byte> bytes) : watched_(Take()) {
  WatchMappedRanges();
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  watched_->was_cut = false;
  watched_->begin = begin;
  watched_->end = begin + bytes.size();
}

MappedRange::~MappedRange() {
  watched_->end = 0;
  watched_->begin = 0;
  watched_->is_taken = false;
}

bool MappedRange::was_cut() const { return watched_->was_cut; }

// The pages from the fault to the end of the range become anonymous ones, which are zeros and take
// no memory as long as they are only read. mmap is a plain system call here, as it is in every C
// library of Linux, so that a handler may make it. The range is marked first, since another thread
// may read the zeros as soon as they are there.
bool MendMappedRange(const siginfo_t& fault) noexcept {
  if (fault.si_code <= 0) return false;  // sent by somebody, and no fault
  const auto address = reinterpret_cast<std::uintptr_t>(fault.si_addr);
  for (MappedRange::Watched* each = MappedRange::first; each; each = each->next) {
    const std::uintptr_t begin = each->begin, end = each->end;
    if (address < begin || address >= end) continue;
    each->was_cut = true;
    const int error = errno;
    const std::uintptr_t in_page = address % page_bytes;
    char* const page = static_cast<char*>(fault.si_addr) - in_page;
    const void* const mended = mmap(page, end - (address - in_page), PROT_READ,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    errno = error;
    return mended != MAP_FAILED;
  }
  return false;
}

void WatchMappedRanges() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_bytes = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action = {};
    action.sa_sigaction = MendOrPassOn;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, &action_before);
  });
}

bool IsMappedRangeHandler(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) && action.sa_sigaction == MendOrPassOn &&
         action_before.sa_handler == SIG_DFL;
}

}  // namespace weir
