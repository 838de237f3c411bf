// The end where not even an exception can be made: says so and ends the process with the status of
// ErrorKind::kMemory. Allocates nothing; any thread, also in a handler of somebody's library. No
// file of ours is torn by it: they are whole or absent (AtomicFile).
#pragma once

namespace weir {

[[noreturn]] void ExitOutOfMemory() noexcept;

// From now on an std::bad_alloc that nobody can catch ends in ExitOutOfMemory, and a thread that a
// library cannot make in ExitWithoutThreads.
void ExitInWordsWhereNoneCatches();

}  // namespace weir
