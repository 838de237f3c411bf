#include "framework/flow/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
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

}  // namespace
}  // namespace weir
