#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "framework/error.h"
#include "tests/framework/graph/flow.h"

namespace weir {
namespace {

using testing::Apply;
using testing::Collect;
using testing::Counting;
using ::testing::ElementsAre;
using testing::Flow;
using testing::Gather;
using testing::Number;
using testing::UpTo;

Outcome<Number> Same(Number number, StageContext&) { return number; }

// Keeps a core busy.
void Work(int turns) {
  static std::atomic<int> sink;
  for (int i = 0; i < turns; ++i) sink.fetch_add(1, std::memory_order_relaxed);
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

// Counts as somebody else gives it the numbers: from a thread of its own, one at a time.
class Given final : public SourceStage<Number> {
 public:
  explicit Given(int count) : count_(count) {}
  ~Given() override {
    is_over_ = true;
    if (giver_.joinable()) giver_.join();
  }
  void BeginPass(const Pass&) override {
    if (giver_.joinable()) giver_.join();
    taken_ = given_ = 0;
    giver_ = std::thread([this] { Give(); });
  }
  bool IsReady() override { return taken_ < given_ || taken_ == count_; }
  void set_on_ready(std::function<void()> on_ready) override {
    const std::lock_guard lock(mutex_);
    on_ready_ = std::move(on_ready);
  }
  std::optional<Number> Next(StageContext&) override {
    if (taken_ == count_) return std::nullopt;
    EXPECT_LT(taken_, given_) << "asked though it was not ready";
    return Number{taken_++};
  }

 private:
  void Give() {
    while (given_ < count_ && !is_over_) {
      if (given_ == taken_) ++given_;
      const std::lock_guard lock(mutex_);
      if (on_ready_) on_ready_();
      std::this_thread::yield();
    }
  }

  const int count_;
  std::atomic<int> given_{0}, taken_{0};
  std::atomic<bool> is_over_{false};
  std::mutex mutex_;
  std::function<void()> on_ready_;
  std::thread giver_;
};

TEST(Graph, WaitsForASourceThatHasNothingYet) {
  for (const int workers : {1, 4}) {
    Flow flow(1 << 20, workers);
    flow.Add<Given>("given", 300).Add<Apply>("apply", Same).Add<Gather>("gather", 32).AddCollect();
    flow.Run();
    EXPECT_EQ(flow.values(), UpTo(300)) << workers << " workers";
    flow.Run({.epoch = 1});
    EXPECT_EQ(flow.values().size(), 600u);
  }
}

// A source that never has anything: the run ends by what wakes it every now and then.
class Silent final : public SourceStage<Number> {
 public:
  explicit Silent(std::function<void()> meanwhile) : meanwhile_(std::move(meanwhile)) {}
  bool IsReady() override { return false; }
  void set_on_ready(std::function<void()> on_ready) override {
    if (waker_.joinable()) waker_.join();
    if (!on_ready) return;
    waker_ = std::thread([this, on_ready] {
      meanwhile_();
      on_ready();
    });
  }
  std::optional<Number> Next(StageContext&) override { return std::nullopt; }

 private:
  const std::function<void()> meanwhile_;
  std::thread waker_;
};

TEST(Graph, StopsWhileItsSourceHasNothing) {
  Flow flow(1 << 20, 1);
  flow.Add<Silent>("silent", [&flow] { flow.Stop(); }).Add<Gather>("gather", 4).AddCollect();
  flow.Run();
  EXPECT_TRUE(flow.batches.empty());
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

}  // namespace
}  // namespace weir
