// A run of weir in which requests fail: for memory (tests/support/failing_malloc.cc), or calls to
// the system (tests/support/failing_calls.cc).
//
//   const FailedRun run = RunFailing({"run", job}, {.at = 1200});
//   EXPECT_EQ(run.outcome.status, 3);
#pragma once

#include <string>
#include <vector>

#include "tests/support/weir_process.h"

namespace weir {

struct Failing {
  std::string call{};       // a kind of call; empty: a request for memory
  unsigned long at = 0;     // which request fails, from 1 on; 0: none
  bool is_forever = false;  // and so do those after it
};

struct FailedRun {
  ProcessOutcome outcome;      // after 20 seconds it is ended by SIGALRM
  unsigned long requests = 0;  // how many there were; 0 where it did not end by itself
  std::string request_stack;   // of the request that failed; empty where none did
  std::string signal_stack;    // of the signal that ended it; empty where none did
};

FailedRun RunFailing(const std::vector<std::string>& arguments, const Failing& failing);

// The innermost frame of a stack that is not of the compiler's libraries,
// "libdnnl.so.3(+0x62b45b)".
std::string Place(const std::string& stack);

}  // namespace weir
