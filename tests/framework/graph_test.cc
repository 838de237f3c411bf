#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include <atomic>
#include <map>
#include <new>
#include <random>

#include "framework/error.h"
#include "framework/graph_builder.h"
#include "tests/framework/test_stages.h"

namespace weir {
namespace {

using testing::Apply;
using testing::Collect;
using testing::Counting;
using ::testing::ElementsAre;
using testing::Gather;
using testing::Number;
using testing::Recall;

// A flow of its own budget, and what came out of it.
class Flow {
 public:
  explicit Flow(std::size_t limit_bytes, int workers = 4)
      : budget_(limit_bytes),
        workers_(workers),
        threads_(tbb::global_control::max_allowed_parallelism, workers) {}

  template <class S, class... Arguments>
  Flow& Add(const std::string& name, Arguments&&... arguments) {
    stages_.push_back(Place(name, std::make_unique<S>(std::forward<Arguments>(arguments)...)));
    return *this;
  }
  Flow& AddCollect(std::function<void()> meanwhile = [] {}) {
    return Add<Collect>("collect", batches, std::move(meanwhile));
  }

  void Run(const Pass& pass = {}) {
    if (!graph_) {
      std::vector<StageCost> costs;
      for (const PlacedStage& placed : stages_) {
        costs.push_back({placed.name, placed.shape, placed.any->stage().footprint()});
      }
      plan_ = PlanMemory(costs, budget_.usage().limit_bytes, 0, workers_);
      stats = std::vector<StageStats>(stages_.size());
      graph_ = BuildGraph(stages_, stats,
                          {.budget = budget_,
                           .plan = plan_,
                           .stopped = stopped_,
                           .workers = workers_,
                           .on_drop = [this](const std::string& stage, const Drop& drop) {
                             drops[drop.sample] = stage + ": " + drop.reason;
                           }});
    }
    graph_->Run(pass);
  }
  void Stop() { stopped_ = true; }

  std::vector<int> values() const {
    std::vector<int> all;
    for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
    return all;
  }

  std::vector<std::vector<int>> batches;
  std::map<std::string, std::string> drops;
  std::vector<StageStats> stats;

 private:
  MemoryBudget budget_;
  std::atomic<bool> stopped_{false};
  int workers_;
  tbb::global_control threads_;
  std::vector<PlacedStage> stages_;
  MemoryPlan plan_;
  std::unique_ptr<Graph> graph_;
};

Outcome<Number> Same(Number number, StageContext&) { return number; }

// Keeps a core busy.
void Work(int turns) {
  static std::atomic<int> sink;
  for (int i = 0; i < turns; ++i) sink.fetch_add(1, std::memory_order_relaxed);
}

std::vector<int> UpTo(int count) {
  std::vector<int> all(count);
  for (int i = 0; i < count; ++i) all[i] = i;
  return all;
}

TEST(Graph, BatchesKeepTheOrderWhateverTheThreads) {
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 1000)
      .Add<Apply>("apply",
                  [](Number number, StageContext&) -> Outcome<Number> {
                    Work(number.value % 7 * 1000);  // uneven
                    return number;
                  })
      .Add<Gather>("gather", 32)
      .AddCollect();
  flow.Run();
  EXPECT_EQ(flow.values(), UpTo(1000));
  EXPECT_EQ(flow.batches.size(), 32u);
  EXPECT_EQ(flow.batches.back().size(), 1000u % 32);
}

TEST(Graph, RunsAgainForEveryPassAndGoesOnWhereAPassSays) {
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 10).Add<Gather>("gather", 4).AddCollect();
  flow.Run();
  flow.Run({.split = Split::kTrain, .epoch = 1, .first_sample = 8});
  EXPECT_THAT(flow.batches, ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(4, 5, 6, 7),
                                        ElementsAre(8, 9), ElementsAre(8, 9)));
}

TEST(Graph, ADropLeavesNoGapAndIsNamed) {
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 9)
      .Add<Apply>("apply",
                  [](Number number, StageContext&) -> Outcome<Number> {
                    if (number.value % 3 == 1) return Drop{number.name(), "is odd somehow"};
                    return number;
                  })
      .Add<Gather>("gather", 2)
      .AddCollect();
  flow.Run();
  EXPECT_THAT(flow.batches, ElementsAre(ElementsAre(0, 2), ElementsAre(3, 5), ElementsAre(6, 8)));
  EXPECT_EQ(flow.drops.size(), 3u);
  EXPECT_EQ(flow.drops["number 4"], "apply: is odd somehow");
  EXPECT_EQ(flow.stats[1].figures().drops, 3u);
}

// Costs nothing to plan, and breaks when the graph asks again.
struct Breaking final : MapStage<Number, Number> {
  static constexpr std::string_view kName = "breaking";
  static constexpr std::string_view kDoc = "Breaks.";
  Footprint footprint() const override {
    if (asked_++ > 0) throw std::bad_alloc();
    return {};
  }
  Outcome<Number> Map(Number number, StageContext&) override { return number; }
  mutable int asked_ = 0;
};

TEST(Graph, WhatBreaksWhileItIsMadeLeavesNothingAtWork) {
  for (int i = 0; i < 50; ++i) {
    Flow flow(1 << 20);
    flow.Add<Counting>("counting", 3)
        .Add<Gather>("gather", 2)
        .Add<Collect>("collect", flow.batches, [] {});
    Flow broken(1 << 20);
    broken.Add<Counting>("counting", 3)
        .Add<Apply>("apply", Same)
        .Add<Breaking>("breaking")
        .Add<Gather>("gather", 2)
        .AddCollect();
    EXPECT_THROW(broken.Run(), std::bad_alloc);
    flow.Run();
    EXPECT_EQ(flow.values(), UpTo(3));
  }
}

TEST(Graph, AMapIsToldWhatWasSetAsideForItsItem) {
  Flow flow(1 << 20, 1);
  std::vector<std::size_t> granted;
  const auto note = [&](Number number, StageContext& context) -> Outcome<Number> {
    granted.push_back(context.granted_bytes());
    return number;
  };
  const auto cost = [](const Number& number) -> Outcome<std::size_t> {
    return std::size_t{10} * number.value;
  };
  flow.Add<Counting>("counting", 3)
      .Add<Apply>("admitted", note, 1000, cost)
      .Add<Apply>("of a footprint", Same, 500)
      .Add<Gather>("gather", 3)
      .AddCollect();
  flow.Run();
  EXPECT_THAT(granted, ElementsAre(0, 10, 20));
}

TEST(Graph, WhatIsRefusedOrTooLargeBeforeItIsAdmittedIsDropped) {
  Flow flow(1000, 1);
  const auto cost = [](const Number& number) -> Outcome<std::size_t> {
    if (number.value == 1) return Drop{number.name(), "is no good"};
    return number.value == 2 ? std::size_t{4096} : std::size_t{10};
  };
  flow.Add<Counting>("counting", 4)
      .Add<Apply>("apply", Same, 10, cost)
      .Add<Gather>("gather", 1)
      .AddCollect();
  flow.Run();
  EXPECT_EQ(flow.values(), (std::vector<int>{0, 3}));
  EXPECT_EQ(flow.drops["number 1"], "counting: is no good");
  EXPECT_EQ(flow.drops["number 2"],
            "counting: needs 4.00 KiB on its way, the ceiling leaves 1000 B");
}

TEST(Graph, ASlowSinkNeverLetsMemoryGrow) {
  // Every number claims 100 bytes from its map until it is gathered; the sink is far slower than
  // the rest. What is alive at once is counted, not what the ledger believes.
  struct Alive {
    std::atomic<int> now{0}, most{0};
  } alive;
  Flow flow(1000);
  flow.Add<Counting>("counting", 500)
      .Add<Apply>(
          "apply",
          [&alive](Number number, StageContext&) -> Outcome<Number> {
            const int now = ++alive.now;
            int most = alive.most;
            while (now > most && !alive.most.compare_exchange_weak(most, now)) {
            }
            number.held_bytes = 100;
            return number;
          },
          100)
      .Add<Gather>("gather", 4, 200)
      .AddCollect([&alive] {
        alive.now -= 4;
        Work(200000);
      });
  flow.Run();
  EXPECT_EQ(flow.values(), UpTo(500));
  // 1000 bytes: at most 8 numbers beside one batch of 200, and 3 batches of 4 that wait or fill.
  EXPECT_LE(alive.most, 8 + 3 * 4);
}

TEST(Graph, AnErrorEndsTheRunWithTheNameOfItsStageAndTheGraphRunsAgain) {
  Flow flow(1 << 20);
  bool broken = true;
  flow.Add<Counting>("counting", 300)
      .Add<Apply>("shaky",
                  [&broken](Number number, StageContext&) -> Outcome<Number> {
                    if (broken && number.value == 77) {
                      throw Error(ErrorKind::kData, "the disk is gone", "Mount it.");
                    }
                    return number;
                  })
      .Add<Gather>("gather", 8)
      .AddCollect();
  try {
    flow.Run();
    FAIL() << "the error was lost";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "stage shaky: the disk is gone");
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_EQ(error.remedy(), "Mount it.");
  }
  broken = false;
  flow.batches.clear();
  flow.Run();
  EXPECT_EQ(flow.values(), UpTo(300));
}

TEST(Graph, AnErrorOfTheSinkOrTheSourceUnwindsToo) {
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 300).Add<Gather>("gather", 8).AddCollect([] {
    throw std::runtime_error("full");
  });
  EXPECT_THAT([&] { flow.Run(); }, ::testing::ThrowsMessage<Error>("stage collect: full"));
  EXPECT_EQ(flow.batches.size(), 1u);
}

TEST(Graph, StopEndsThePassEarlyAndNothingIsConsumedAfterwards) {
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 1000000).Add<Gather>("gather", 2).AddCollect([&flow] {
    if (flow.batches.size() == 5) flow.Stop();
  });
  flow.Run();
  EXPECT_EQ(flow.values(), UpTo(10));
}

TEST(Graph, StopIsHeededWhileNothingIsAdmitted) {
  Flow flow(1 << 20);
  const auto refuse = [&flow](const Number& number) -> Outcome<std::size_t> {
    if (number.value == 5) flow.Stop();
    return Drop{number.name(), "is no good"};
  };
  flow.Add<Counting>("counting", 1000)
      .Add<Apply>("apply", Same, 0, refuse)
      .Add<Gather>("gather", 2)
      .AddCollect();
  flow.Run();
  EXPECT_EQ(flow.drops.size(), 6u);
  EXPECT_TRUE(flow.batches.empty());
}

TEST(Graph, ACostThatNoNumberHoldsIsTooLargeAndDoesNotWrapAround) {
  Flow flow(1000, 1);
  const auto endless = [](const Number&) { return static_cast<std::size_t>(-50); };
  flow.Add<Counting>("counting", 1)
      .Add<Apply>("apply", Same, 10, endless)
      .Add<Apply>("more", Same, 100)
      .Add<Gather>("gather", 1)
      .AddCollect();
  flow.Run();
  EXPECT_TRUE(flow.batches.empty());
  EXPECT_EQ(flow.drops.size(), 1u);
}

TEST(Graph, AnEmptyPassEndsWithoutABatch) {
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 10).Add<Gather>("gather", 4).AddCollect();
  flow.Run({.split = Split::kTrain, .epoch = 0, .first_sample = 10});
  EXPECT_TRUE(flow.batches.empty());
}

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
