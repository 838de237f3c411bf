// What libvips has to say about a failure of its own, which it keeps in one buffer for all threads.
#pragma once

#include <string>

#include "framework/error.h"

namespace weir {

// All that it said since it was asked last, a line each; empty where that is nothing. Any thread.
std::string TakeVipsErrors();

// An Error in one line with those words behind `what`: kMemory where it got no memory or no thread,
// else kInternal with `remedy`.
Error VipsError(const std::string& what, const std::string& remedy);

}  // namespace weir
