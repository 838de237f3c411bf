// A run of weir in which requests fail: for memory (tests/support/failing_malloc.cc), or calls to
// the system (tests/support/failing_calls.cc).
//
//   const FailedRun run = RunFailing({"run", job}, {.kind = kMemoryKind, .at = 1200});
//   EXPECT_EQ(run.outcome.status, 3);
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/weir_process.h"

namespace weir {

inline constexpr const char* kMemoryKind = "malloc";

struct Failing {
  std::string kind{};       // which call, or kMemoryKind; empty: no call fails, and all are counted
  unsigned long at = 0;     // which request fails, from 1 on; 0: none
  bool is_forever = false;  // and so do those after it
  std::string kill_kind{};  // which call the process is killed at; empty: none
  unsigned long kill_at = 0;
};

inline constexpr int kKilledStatus = 128 + 9;  // SIGKILL

struct FailedRun {
  ProcessOutcome outcome;  // after 20 seconds it is ended by SIGALRM
  // How many there were, by kind; empty where it did not end by itself.
  std::map<std::string, unsigned long> requests{};
  std::string request_stack{};  // where the request failed; empty where none did
  std::string signal_stack{};   // where the signal ended it; empty where none did
};

FailedRun RunFailing(const std::vector<std::string>& arguments, const Failing& failing);

// The innermost frame of a stack that is not of the compiler's libraries,
// "libdnnl.so.3(+0x62b45b)".
std::string Place(const std::string& stack);

}  // namespace weir
