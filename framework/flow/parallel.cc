#include "framework/flow/parallel.h"

#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

#include <thread>

#include "framework/flow/stopwatch.h"

namespace weir {

void ParallelFor(int count, const std::function<void(int)>& body) {
  if (count == 1) return body(0);
  const Stopwatch* const whole = Stopwatch::InThread();
  const std::thread::id caller = std::this_thread::get_id();
  const auto turn = [&](int i) {
    if (std::this_thread::get_id() == caller) return body(i);
    const Stopwatch::Part part(whole);
    body(i);
  };
  tbb::this_task_arena::isolate(
      [&] { tbb::parallel_for(0, count, turn, tbb::simple_partitioner()); });
}

}  // namespace weir
