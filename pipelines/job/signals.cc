#include "pipelines/job/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "framework/error.h"

namespace weir {
namespace {

std::atomic<int> received{0};
std::atomic<bool> ends_at_once{false};
static_assert(std::atomic<int>::is_always_lock_free, "it is written by a signal handler");

extern "C" void NoteSignal(int) {
  if (received.fetch_add(1) > 0 || ends_at_once) _exit(static_cast<int>(ErrorKind::kInterrupted));
}

}  // namespace

void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = NoteSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
  signal(SIGXFSZ, SIG_IGN);
}

SignalsEndTheProcess::SignalsEndTheProcess() {
  ends_at_once = true;
  if (SignalReceived()) _exit(static_cast<int>(ErrorKind::kInterrupted));
}

SignalsEndTheProcess::~SignalsEndTheProcess() { ends_at_once = false; }

void OutliveReader() { signal(SIGPIPE, SIG_IGN); }

bool SignalReceived() { return received.load() > 0; }

}  // namespace weir
