// How far the heap of this program grows, for tests of what a reader costs.
//
// A program that links counted_heap.cc has an operator new that counts: what C libraries take by
// malloc is not in it.
#pragma once

#include <cstddef>
#include <functional>

namespace weir {

// By how many bytes the heap was larger at its peak within `work` than before it.
std::size_t HeapGrowth(const std::function<void()>& work);

}  // namespace weir
