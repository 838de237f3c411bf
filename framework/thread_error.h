// Words for a thread that the system does not give. Any thread.
#pragma once

#include <string>

#include "framework/error.h"

namespace weir {

// An Error(kMemory): "worker thread 3 of 7 cannot be made: Resource temporarily unavailable", and
// which limits there may be. `error` is what pthread_create gave.
Error ThreadError(const std::string& which, int error);

// The end of the process in the same words, where a library has failed to make a thread of its own
// and cannot be brought to an end. Allocates nothing. No file of ours is torn by it: they are whole
// or absent (AtomicFile).
[[noreturn]] void ExitWithoutThreads() noexcept;

// Whether that is what `error` is about: what the standard library or TBB throws.
bool IsThreadError(const std::exception& error) noexcept;

}  // namespace weir
