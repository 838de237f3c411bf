// A loop whose turns run at once, for stages that have work inside one item.
//
// The threads are those of the arena that the caller runs in: no others are started. While the
// caller waits it helps with this loop and takes up nothing else, so a short loop is never held up
// by a long task of another stage.
#pragma once

#include <functional>

namespace weir {

// Calls body(0), ..., body(count - 1), each once, in any order, and returns when all are done.
// Where a turn throws, turns not yet begun may be left out and the exception is thrown here.
void ParallelFor(int count, const std::function<void(int)>& body);

}  // namespace weir
