// Passes that a stage gives again from what it kept; and random flows, with and without one.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "framework/error.h"
#include "tests/framework/graph/flow.h"

namespace weir {
namespace {

using testing::Apply;
using testing::Counting;
using testing::Flow;
using testing::Gather;
using testing::Number;
using testing::Recall;
using testing::UpTo;

TEST(Graph, AStageThatKeptAPassGivesItAgainWithoutWhatIsBeforeIt) {
  std::atomic<int> worked{0};
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 10)
      .Add<Apply>("apply",
                  [&](Number number, StageContext&) -> Outcome<Number> {
                    ++worked;
                    if (number.value == 4) return Drop{number.name(), "is unwanted"};
                    return number;
                  })
      .Add<Gather>("gather", 4)
      .Add<Recall>("recall")
      .AddCollect();
  const std::vector<std::vector<int>> batches = {{0, 1, 2, 3}, {5, 6, 7, 8}, {9}};
  const std::vector<int> calls = {10, 20, 20, 30, 30, 30};
  const std::vector<int> epochs = {0, 1, 2, 3, 4, 4};  // odd ones are not kept
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    flow.batches.clear();
    flow.Run({.split = Split::kTrain, .epoch = epochs[i]});
    EXPECT_EQ(flow.batches, batches);
    EXPECT_EQ(worked, calls[i]);
  }
  EXPECT_EQ(flow.stats[3].figures().items, 6u * 3);
}

TEST(Graph, OfTwoStagesThatKeptAPassTheLastGivesIt) {
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 50)
      .Add<Gather>("gather", 2, 1000)
      .Add<Recall>("first", 10)
      .Add<Recall>("second", 10)
      .AddCollect();
  flow.Run();
  flow.Run();
  EXPECT_EQ(flow.batches.size(), 50u);
  EXPECT_EQ(flow.stats[2].figures().items, 25u);
  EXPECT_EQ(flow.stats[3].figures().items, 50u);
}

TEST(Graph, AnyOfTheStagesThatMayGiveAPassIsWokenForIt) {
  Flow flow(400000, 2);  // for few outputs at once
  flow.Add<Counting>("counting", 200)
      .Add<Gather>("gather", 2, 100000)
      .Add<Recall>("keeps", 100)
      .Add<Recall>("never", 100, /*keeps=*/false)
      .AddCollect();
  flow.Run();
  flow.Run();
  EXPECT_EQ(flow.batches.size(), 200u);
  EXPECT_EQ(flow.stats[1].figures().items, 200u);
}

TEST(Graph, WhatIsGivenAgainStopsAndFailsAsWhatIsMade) {
  Flow stopped(1 << 20, 1);
  int consumed = 0;
  stopped.Add<Counting>("counting", 1000)
      .Add<Gather>("gather", 2)
      .Add<Recall>("recall")
      .AddCollect([&] {
        if (++consumed == 510) stopped.Stop();
      });
  stopped.Run();
  stopped.Run();
  EXPECT_LT(stopped.batches.size(), 600u);

  Flow failing(1 << 20);
  failing.Add<Counting>("counting", 9)
      .Add<Gather>("gather", 2)
      .Add<Recall>("recall")
      .AddCollect([&] {
        if (failing.batches.size() == 7) throw Error(ErrorKind::kData, "enough");
      });
  failing.Run();
  EXPECT_THROW(failing.Run(), Error);
  failing.batches.clear();
  failing.Run();  // and can run again
  EXPECT_EQ(failing.values(), UpTo(9));
}

// One random chain: maps with random costs and drops, one gather, perhaps a stage that keeps what
// was gathered, a random ceiling. Either it is refused before it runs, or all that was not dropped
// arrives in order, in each of three epochs.
void RunRandomFlow(unsigned seed) {
  std::mt19937 random(seed);
  const int count = static_cast<int>(random() % 120);
  const int batch = 1 + static_cast<int>(random() % 9);
  const std::size_t limit = 1 + random() % 2000;
  const unsigned drop_every = 2 + random() % 20;
  const std::size_t costliest = 1 + random() % 300;
  Flow flow(limit, 1 + static_cast<int>(random() % 4));
  flow.Add<Counting>("counting", count);
  const int maps = static_cast<int>(random() % 4);
  for (int i = 0; i < maps; ++i) {
    const std::size_t item = random() % 100;
    const bool drops = random() % 2 == 0;
    flow.Add<Apply>(
        "map" + std::to_string(i),
        [=](Number number, StageContext&) -> Outcome<Number> {
          if (drops && number.value % drop_every == 1) return Drop{number.name(), "by lot"};
          number.held_bytes = item / 2;
          return number;
        },
        item,
        [=](const Number& number) -> Outcome<std::size_t> {
          return item + static_cast<std::size_t>(number.value * 7) % costliest;
        });
  }
  flow.Add<Gather>("gather", batch, random() % 300);
  if (random() % 2 == 0) flow.Add<Recall>("recall", random() % 50);
  flow.AddCollect();
  try {
    for (int epoch = 0; epoch < 3; ++epoch) flow.Run({.split = Split::kTrain, .epoch = epoch});
  } catch (const Error& error) {
    ASSERT_EQ(error.kind(), ErrorKind::kMemory) << error.what();
    ASSERT_TRUE(flow.batches.empty());
    return;
  }
  std::vector<int> expected;
  for (int i = 0; i < 3 * count; ++i) {
    if (!flow.drops.contains("number " + std::to_string(i % count))) expected.push_back(i % count);
  }
  ASSERT_EQ(flow.values(), expected);
}

TEST(Graph, AThousandRandomFlowsAndCeilingsNeitherStandStillNorLoseAnything) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    RunRandomFlow(seed);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace weir
