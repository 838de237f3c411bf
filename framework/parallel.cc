#include "framework/parallel.h"

#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

namespace weir {

void ParallelFor(int count, const std::function<void(int)>& body) {
  if (count == 1) return body(0);
  tbb::this_task_arena::isolate(
      [&] { tbb::parallel_for(0, count, body, tbb::simple_partitioner()); });
}

}  // namespace weir
