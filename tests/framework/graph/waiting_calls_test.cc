// Calls that wait for something else than the processors leave the workers their part of those.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "framework/graph/pipeline.h"
#include "tests/framework/flow/test_stages.h"

namespace weir {
namespace {

using testing::Apply;
using testing::Collect;
using testing::Counting;
using testing::Gather;
using testing::Number;

constexpr int kCalls = 2;
constexpr std::chrono::seconds kMostWait{20};

// What is seen of the stages, by all of them.
struct Seen {
  std::mutex mutex;
  std::condition_variable changed;
  int waiting = 0, most_waiting = 0, behind = 0;
};

// A call waits until two calls do, or have; from the third number on until one that came through
// before has also passed the stage behind.
class Waiting final : public MapStage<Number, Number> {
 public:
  explicit Waiting(Seen& seen) : seen_(seen) {}
  Footprint footprint() const override { return {.waiting_calls = kCalls}; }
  Outcome<Number> Map(Number number, StageContext&) override {
    std::unique_lock lock(seen_.mutex);
    seen_.most_waiting = std::max(seen_.most_waiting, ++seen_.waiting);
    seen_.changed.notify_all();
    EXPECT_TRUE(seen_.changed.wait_for(lock, kMostWait, [&] {
      return seen_.most_waiting >= kCalls && (number.value < kCalls || seen_.behind > 0);
    })) << number.value;
    --seen_.waiting;
    return number;
  }

 private:
  Seen& seen_;
};

TEST(WaitingCalls, LeaveTheWorkersTheirThreads) {
  for (const int workers : {1, 3}) {
    Seen seen;
    std::vector<std::vector<int>> batches;
    MemoryBudget budget(1 << 20);
    Resources resources;
    Pipeline pipeline({.workers = workers}, resources);
    pipeline.AddMade("counting", [](BuildContext&) { return std::make_unique<Counting>(8); });
    pipeline.AddMade("waiting", [&](BuildContext&) { return std::make_unique<Waiting>(seen); });
    pipeline.AddMade("behind", [&](BuildContext&) {
      return std::make_unique<Apply>([&](Number number, StageContext&) {
        const std::lock_guard lock(seen.mutex);
        ++seen.behind;
        seen.changed.notify_all();
        return number;
      });
    });
    pipeline.AddMade("gather", [](BuildContext&) { return std::make_unique<Gather>(8); });
    pipeline.AddMade("collect", [&](BuildContext&) { return std::make_unique<Collect>(batches); });
    EXPECT_EQ(pipeline.threads(), workers + kCalls);
    pipeline.Plan(budget.usage().limit_bytes, 0);
    pipeline.Open(budget);
    pipeline.Run({});
    EXPECT_EQ(seen.most_waiting, kCalls);
    ASSERT_EQ(batches.size(), 1u);
    EXPECT_THAT(batches.front(), ::testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  }
}

}  // namespace
}  // namespace weir
