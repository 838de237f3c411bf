#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "framework/graph/pipeline.h"
#include "tests/framework/flow/test_stages.h"

namespace weir {
namespace {

using testing::Apply;
using testing::Collect;
using testing::Counting;
using testing::GatherWindows;
using testing::Number;

// Whether an item is kept out before it is admitted or dropped on its way, at the end of an output,
// at its beginning, or all of it.
TEST(GatherByOrder, CompletesWhatIsGatheredByOrderWhereverItemsAreDropped) {
  Resources resources;
  MemoryBudget budget(1 << 20);
  std::vector<std::vector<int>> batches;
  Pipeline pipeline({.seed = 1, .workers = 2}, resources);
  pipeline.AddMade("counting", [](BuildContext&) { return std::make_unique<Counting>(18); });
  const auto keep_out = [](const Number& number) -> Outcome<std::size_t> {
    if (number.value == 7 || number.value == 12) return Drop{number.name(), "is kept out"};
    return std::size_t{0};
  };
  const auto drop = [](Number number, StageContext&) -> Outcome<Number> {
    const std::set<int> dropped = {2, 3, 4, 8, 9, 10, 11};
    if (dropped.contains(number.value)) return Drop{number.name(), "is dropped"};
    return number;
  };
  pipeline.AddMade("drop",
                   [&](BuildContext&) { return std::make_unique<Apply>(drop, 0, keep_out); });
  pipeline.AddMade("windows", [](BuildContext&) { return std::make_unique<GatherWindows>(4, 9); });
  pipeline.AddMade("collect", [&](BuildContext&) { return std::make_unique<Collect>(batches); });
  pipeline.Plan(budget.usage().limit_bytes, 50);
  pipeline.Open(budget);
  const std::vector<std::vector<int>> expected = {{0, 1}, {5, 6}, {13, 14, 15}, {16, 17, -18}};
  for (int epoch = 0; epoch < 3; ++epoch) {
    batches.clear();
    pipeline.Run({.epoch = epoch});
    EXPECT_EQ(batches, expected);
  }
}

}  // namespace
}  // namespace weir
