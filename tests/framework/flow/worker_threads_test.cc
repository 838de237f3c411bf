#include "framework/flow/worker_threads.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>

namespace weir {
namespace {

// A graph that has worked, as a pipeline leaves it: its workers may still be in its arena.
void WorkOnce() {
  tbb::task_arena arena(2);
  std::unique_ptr<tbb::flow::graph> graph;
  arena.execute([&] { graph = std::make_unique<tbb::flow::graph>(); });
  std::atomic<int> done{0};
  tbb::flow::function_node<int, int> node(*graph, tbb::flow::unlimited, [&](int item) {
    ++done;
    return item;
  });
  arena.execute([&] {
    for (int i = 0; i < 20; ++i) node.try_put(i);
    graph->wait_for_all();
  });
}

// More workers than the process has cores, as ranks have that a launcher binds to a core each.
[[noreturn]] void EndOften() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) std::_Exit(2);
  alarm(60);
  for (int i = 0; i < 300; ++i) {
    const WorkerThreads threads(2);
    WorkOnce();
  }
  std::_Exit(0);
}

TEST(WorkerThreadsDeathTest, EndAlsoWhereThereAreMoreThanCores) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";  // a process of its own from the beginning
  EXPECT_EXIT(EndOften(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace weir
