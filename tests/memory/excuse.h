// Where a library ends the process by a signal when a request of its own fails, and nothing can be
// done about it here: the list of those, by library, each with its reason.
#pragma once

#include <string_view>

#include "tests/memory/failed_run.h"

namespace weir {

struct Excuse {
  int signal;
  std::string_view frame;  // what stands innermost on the stack
  std::string_view why;
};

// Null where there is none for how that run ended.
const Excuse* ExcuseFor(const FailedRun& run);

}  // namespace weir
