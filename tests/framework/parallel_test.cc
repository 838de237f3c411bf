#include "framework/parallel.h"

#include <gtest/gtest.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace weir {
namespace {

TEST(ParallelFor, MakesEachTurnOnce) {
  for (int count : {0, 1, 1000}) {
    std::vector<std::atomic<int>> turns(count);
    ParallelFor(count, [&](int i) { ++turns[i]; });
    for (const std::atomic<int>& each : turns) EXPECT_EQ(each, 1);
  }
}

TEST(ParallelFor, ThrowsWhatATurnThrows) {
  EXPECT_THROW(ParallelFor(100,
                           [](int i) {
                             if (i == 50) throw std::runtime_error("turn 50");
                           }),
               std::runtime_error);
}

// A thread that waits for its loop could otherwise begin a task of another stage inside a turn.
TEST(ParallelFor, TakesUpNothingElseWhileItWaits) {
  tbb::task_arena arena(2);
  std::atomic<int> inside{0}, foreign{0};
  thread_local bool in_loop = false;
  arena.execute([&] {
    tbb::task_group others;
    for (int i = 0; i < 200; ++i) others.run([&] { foreign += in_loop; });
    in_loop = true;
    ParallelFor(64, [&](int) { ParallelFor(2, [&](int) { ++inside; }); });
    in_loop = false;
    others.wait();
  });
  EXPECT_EQ(inside, 128);
  EXPECT_EQ(foreign, 0);
}

}  // namespace
}  // namespace weir
