#include "stages/device/cuda/issuing_thread.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <vector>

namespace weir {
namespace {

TEST(IssuingThread, RunsTheWorkOfManyThreadsInOne) {
  IssuingThread issuing;
  std::set<std::thread::id> seen;  // touched by the one thread alone
  int runs = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        issuing.Run([&] {
          seen.insert(std::this_thread::get_id());
          ++runs;
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(runs, 200);
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_FALSE(seen.contains(std::this_thread::get_id()));
}

TEST(IssuingThread, ThrowsInTheCallerAndGoesOn) {
  IssuingThread issuing;
  EXPECT_THROW(issuing.Run([] { throw std::runtime_error("no"); }), std::runtime_error);
  bool ran = false;
  issuing.Run([&] { ran = true; });
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace weir
