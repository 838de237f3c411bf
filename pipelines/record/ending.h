// What ends a command, in weir's words: one table of exceptions for the line that `main` prints and
// for the state that a run leaves in memory.json. Any thread.
#pragma once

#include <exception>
#include <string>

#include "framework/error.h"

namespace weir {

// An Error as it is; what the standard library throws as the Error that says the same.
Error AsError(const std::exception& error);

// How a run ended that `error` ended: "interrupted", or "failed: " and what went wrong.
std::string EndingOf(const std::exception& error);

}  // namespace weir
