#include "framework/graph/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "framework/error.h"
#include "tests/framework/flow/test_stages.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::AddUp;
using testing::Apply;
using testing::Collect;
using testing::Counting;
using ::testing::ElementsAre;
using testing::Gather;
using testing::NoParams;
using testing::Note;
using testing::Number;
using testing::Numbers;

Outcome<Number> Same(Number number, StageContext&) { return number; }

// Stages as a registry makes them.
struct Tens final : SourceStage<Number> {
  static constexpr std::string_view kName = "tens";
  static constexpr std::string_view kDoc = "Counts to ten.";
  using Params = NoParams;
  Tens(const Params&, BuildContext&) {}
  std::optional<Number> Next(StageContext&) override { return std::nullopt; }
};

struct Pairs final : GatherStage<Number, Numbers> {
  static constexpr std::string_view kName = "pairs";
  static constexpr std::string_view kDoc = "Gathers two.";
  using Params = NoParams;
  Pairs(const Params&, BuildContext&) {}
  std::optional<Numbers> Add(const Number&, StageContext&) override { return std::nullopt; }
  std::optional<Numbers> Flush(StageContext&) override { return std::nullopt; }
};

struct Forget final : SinkStage<Numbers> {
  static constexpr std::string_view kName = "forget";
  static constexpr std::string_view kDoc = "Takes and forgets.";
  using Params = NoParams;
  Forget(const Params&, BuildContext&) {}
  void Consume(const Numbers&, StageContext&) override {}
};

struct Scales {
  static constexpr std::string_view kResource = "scales";
};

struct Weigh final : MapStage<Number, Number> {
  static constexpr std::string_view kName = "weigh";
  static constexpr std::string_view kDoc = "Needs scales.";
  using Params = NoParams;
  static std::vector<ResourceUse> Needs() { return {ResourceOf<Scales>("Put `shop` before it.")}; }
  Weigh(const Params&, BuildContext&) {}
  Outcome<Number> Map(Number number, StageContext&) override { return number; }
};

// Holds memory for the whole run, and asks for what it is told to.
struct Holder final : MapStage<Number, Number> {
  explicit Holder(std::size_t wanted_bytes) : wanted_bytes_(wanted_bytes) {}
  Footprint footprint() const override {
    return {.held = {{"table", MemoryTag::kModel, 1000}},
            .lever = Lever{.name = "slots", .bytes_each = 100, .min = 1, .max = 3}};
  }
  void Open(OpenContext& context) override {
    EXPECT_EQ(context.lever, 3);
    lease_ = context.budget.TryAcquire(MemoryTag::kModel, wanted_bytes_);
  }
  Outcome<Number> Map(Number number, StageContext&) override { return number; }
  bool holds() const { return lease_.has_value(); }
  void LowerLever(int lever) override { lever_ = lever; }
  int lever() const { return lever_; }

 private:
  std::size_t wanted_bytes_;
  std::optional<Lease> lease_;
  std::atomic<int> lever_{3};
};

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    registry_.Add<Tens>();
    registry_.Add<Pairs>();
    registry_.Add<Forget>();
    registry_.Add<Weigh>();
  }

  // Adds the stage of that name as if line `line` of a.yaml named it.
  void Add(const std::string& name, std::size_t line = 0, const StagePlace& place = {}) {
    pipeline_.Add(*registry_.Find(name), YamlNode::Map({}), {.source = yaml_, .line = line}, place);
  }
  void AddNumbers(int count) {
    pipeline_.AddMade("counting", [&](BuildContext&) { return std::make_unique<Counting>(count); });
  }
  void AddBatches(std::function<void()> meanwhile = [] {}) {
    pipeline_.AddMade("gather", [](BuildContext&) { return std::make_unique<Gather>(4, 10); });
    pipeline_.AddMade("collect", [&](BuildContext&) {
      return std::make_unique<Collect>(batches_, std::move(meanwhile));
    });
  }
  void Open() {
    pipeline_.Plan(budget_.usage().limit_bytes, 50);
    pipeline_.Open(budget_);
  }

  std::shared_ptr<const YamlSource> yaml_ =
      YamlSource::File("a.yaml", "- tens\n- forget\n- pairs\n", "");
  Registry registry_;
  Resources resources_;
  MemoryBudget budget_{1 << 20};
  std::vector<std::vector<int>> batches_;
  Pipeline pipeline_{{.seed = 1, .workers = 2, .training = true, .on_drop = {}}, resources_};
};

TEST_F(PipelineTest, RefusesAStageThatTakesWhatNobodyGivesAtItsPlaceInTheFile) {
  Add("tens");
  EXPECT_EQ(
      CaughtError([&] { Add("forget", 1); }),
      "a.yaml:2:1: `tens` ─▶ test/number ╳ test/numbers ─▶ `forget`: what `tens` gives is not "
      "what `forget` takes\n"
      "    2 | - forget\n"
      "      | ^\n");
}

TEST_F(PipelineTest, RefusesAStageThatNeedsWhatNothingGivesAtItsPlaceInTheFile) {
  Add("tens");
  EXPECT_EQ(CaughtError([&] { Add("weigh", 1); }),
            "a.yaml:2:1: `weigh` needs the scales, which nothing before it gives\n"
            "    2 | - forget\n"
            "      | ^\nPut `shop` before it.");
  EXPECT_EQ(CaughtError([&] {
              pipeline_.AddMade("again", [](BuildContext& context) {
                return std::make_unique<Weigh>(NoParams(), context);
              });
            }),
            "`again` needs the scales, which nothing before it gives\nPut `shop` before it.");
  resources_.Put(std::make_shared<Scales>());
  Add("weigh", 1);
  EXPECT_NE(pipeline_.Find("weigh"), nullptr);
}

TEST_F(PipelineTest, RefusesStagesOutOfTheirPlace) {
  EXPECT_THAT(CaughtError([&] { Add("pairs", 2); }),
              ::testing::StartsWith(
                  "a.yaml:3:1: a pipeline begins with a source, `pairs` takes test/number\n"));
  Add("tens");
  EXPECT_THAT(CaughtError([&] {
                Add("tens", 0, {"more", {}});
              }),
              ::testing::StartsWith("a.yaml:1:1: `more` is a source and can only come first\n"));
  Add("pairs");
  Add("forget");
  EXPECT_THAT(CaughtError([&] { Add("forget"); }),
              ::testing::StartsWith("a.yaml:1:1: `forget` is in the pipeline twice\n"));
  EXPECT_THAT(CaughtError([&] {
                Add("forget", 1, {"again", {}});
              }),
              ::testing::StartsWith(
                  "a.yaml:2:1: `forget` is an end of the flow and gives nothing to `again`\n"));
}

TEST_F(PipelineTest, RefusesBranchesThatCannotBe) {
  AddNumbers(3);
  pipeline_.AddMade("same", [](BuildContext&) { return std::make_unique<Apply>(Same); });
  AddBatches();
  EXPECT_EQ(CaughtError([&] {
              Add("pairs", 2, {"", {"counting"}});
            }),
            "a.yaml:3:1: `counting` is the source and gives to one stage; `pairs` would be the "
            "second\n    3 | - pairs\n      | ^\nBranch off behind that one.");
  EXPECT_THAT(
      CaughtError([&] {
        Add("pairs", 2, {"", {"sam"}});
      }),
      ::testing::StartsWith("a.yaml:3:1: `pairs` takes from `sam`, which is no stage before "
                            "it; did you mean `same`?\n"));
  EXPECT_THAT(CaughtError([&] {
                Add("pairs", 2, {"", {"same", "counting"}});
              }),
              ::testing::StartsWith("a.yaml:3:1: `pairs` takes from one stage, not 2\n"));
  const auto join = [&](const std::vector<std::string>& from) {
    return CaughtError([&] {
      pipeline_.AddMade(
          "join", [](BuildContext&) { return std::make_unique<AddUp>(); }, from);
    });
  };
  EXPECT_EQ(join({"same"}), "`join` joins two branches: `from: [ONE, OTHER]`\n");
  EXPECT_EQ(join({"same", "same"}), "`join` takes from one stage twice\n");
  EXPECT_EQ(join({"same", "gather"}),
            "`join` joins `same` and `gather`, whose items are not the same: on one of them they "
            "are gathered\nJoin them before they are gathered, or behind one gathering.");
}

TEST_F(PipelineTest, RunsOneStageUnderTwoNamesIntoTwoSinks) {
  AddNumbers(8);
  pipeline_.AddMade("same", [](BuildContext&) { return std::make_unique<Apply>(Same); });
  AddBatches();
  std::vector<int> noted;
  pipeline_.AddMade("again", [](BuildContext&) { return std::make_unique<Apply>(Same); }, {"same"});
  pipeline_.AddMade("note", [&](BuildContext&) { return std::make_unique<Note>(noted); });
  Open();
  pipeline_.Run({});
  EXPECT_THAT(batches_, ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(4, 5, 6, 7)));
  EXPECT_THAT(noted, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST_F(PipelineTest, RefusesABranchThatNobodyTakes) {
  AddNumbers(8);
  pipeline_.AddMade("same", [](BuildContext&) { return std::make_unique<Apply>(Same); });
  pipeline_.AddMade("loose", [](BuildContext&) { return std::make_unique<Apply>(Same); }, {"same"});
  pipeline_.AddMade("gather", [](BuildContext&) { return std::make_unique<Gather>(4, 10); },
                    {"same"});
  pipeline_.AddMade("collect", [&](BuildContext&) { return std::make_unique<Collect>(batches_); });
  EXPECT_THAT(CaughtError([&] { pipeline_.Plan(1 << 20, 0); }),
              ::testing::StartsWith("`loose` gives test/number to nobody\n"));
}

TEST_F(PipelineTest, RefusesToPlanWithoutASourceOrWithoutASink) {
  EXPECT_EQ(CaughtError([&] { pipeline_.Plan(1000, 0); }),
            "the pipeline has no source\n"
            "Begin it with a stage that gives samples, such as `directory`.");
  Add("tens");
  Add("pairs");
  EXPECT_EQ(CaughtError([&] { pipeline_.Plan(1000, 0); }),
            "the pipeline ends with `pairs`, which gives test/numbers to nobody\n"
            "End it with a stage that takes that, such as `train`.");
}

TEST_F(PipelineTest, HoldsWhatIsPlannedUnderTheTagsOfTheBillUntilItEnds) {
  MemoryBudget budget(2000);
  {
    Pipeline pipeline({}, resources_);
    pipeline.AddMade("counting", [](BuildContext&) { return std::make_unique<Counting>(4); });
    pipeline.AddMade("holder", [](BuildContext&) { return std::make_unique<Holder>(1); });
    pipeline.AddMade("gather", [](BuildContext&) { return std::make_unique<Gather>(4, 10); });
    pipeline.AddMade("collect", [&](BuildContext&) { return std::make_unique<Collect>(batches_); });
    const MemoryPlan plan = pipeline.Plan(2000, 50);
    pipeline.Open(budget);
    std::array<std::size_t, kMemoryTagCount> planned{};
    for (const PlanRow& row : plan.rows) planned[static_cast<std::size_t>(row.tag)] += row.bytes();
    // What is left over is lent to the samples.
    planned[static_cast<std::size_t>(MemoryTag::kImage)] += 2000 - plan.peak_bytes();
    EXPECT_EQ(budget.usage().used_by_tag, planned);
    EXPECT_EQ(budget.usage().used_bytes, 2000u);
  }
  EXPECT_EQ(budget.usage().used_bytes, 0u);
}

TEST_F(PipelineTest, AStageGetsNoMoreThanItsShareOfTheLedger) {
  for (const std::size_t wanted : {1300u, 1301u}) {
    Resources resources;
    MemoryBudget budget(1 << 20);
    Pipeline pipeline({}, resources);
    const Holder* holder = nullptr;
    pipeline.AddMade("counting", [](BuildContext&) { return std::make_unique<Counting>(4); });
    pipeline.AddMade("holder", [&](BuildContext&) {
      auto made = std::make_unique<Holder>(wanted);
      holder = made.get();
      return made;
    });
    pipeline.AddMade("gather", [](BuildContext&) { return std::make_unique<Gather>(4); });
    pipeline.AddMade("collect", [&](BuildContext&) { return std::make_unique<Collect>(batches_); });
    pipeline.Plan(1 << 20, 0);
    pipeline.Open(budget);
    EXPECT_EQ(holder->holds(), wanted <= 1300);
  }
}

TEST_F(PipelineTest, RefusesToOpenInALedgerThatOthersUse) {
  AddNumbers(4);
  AddBatches();
  pipeline_.Plan(1 << 20, 50);
  const auto other = budget_.TryAcquire(MemoryTag::kModel, (1 << 20) - 20);
  ASSERT_TRUE(other);
  EXPECT_EQ(CaughtError([&] { pipeline_.Open(budget_); }),
            "the process cannot hold 50 B: 1.00 MiB of 1.00 MiB are in use\n"
            "Raise memory.host, or see `weir plan` for what holds it.");
}

TEST_F(PipelineTest, RunsPassAfterPassAndCountsWhatItsStagesDid) {
  AddNumbers(6);
  pipeline_.AddMade("apply", [](BuildContext&) {
    return std::make_unique<Apply>([](Number number, StageContext&) -> Outcome<Number> {
      if (number.value == 3) return Drop{number.name(), "is three"};
      return number;
    });
  });
  AddBatches();
  Open();
  pipeline_.Run({.split = Split::kTrain, .epoch = 0});
  pipeline_.Run({.split = Split::kTrain, .epoch = 1});
  EXPECT_THAT(batches_, ElementsAre(ElementsAre(0, 1, 2, 4), ElementsAre(5),
                                    ElementsAre(0, 1, 2, 4), ElementsAre(5)));
  const std::vector<Pipeline::Figures> figures = pipeline_.figures();
  ASSERT_EQ(figures.size(), 4u);
  EXPECT_EQ(figures[0].stage, "counting");
  EXPECT_EQ(figures[0].figures.items, 12u);
  EXPECT_EQ(figures[1].figures.items, 12u);
  EXPECT_EQ(figures[1].figures.drops, 2u);
  EXPECT_EQ(figures[2].figures.items, 10u);
  EXPECT_EQ(figures[3].figures.items, 4u);
}

TEST_F(PipelineTest, SaysWhatWasLeasedAtMostWithoutWhatIsOnlyLent) {
  MemoryBudget budget(1 << 20);
  Pipeline pipeline({}, resources_);
  pipeline.AddMade("counting", [](BuildContext&) { return std::make_unique<Counting>(8); });
  pipeline.AddMade("apply", [](BuildContext&) {
    return std::make_unique<Apply>([](Number number, StageContext&) { return number; }, 100);
  });
  pipeline.AddMade("gather", [](BuildContext&) { return std::make_unique<Gather>(4, 10); });
  pipeline.AddMade("collect", [&](BuildContext&) { return std::make_unique<Collect>(batches_); });
  const MemoryPlan plan = pipeline.Plan(1 << 20, 50);
  pipeline.Open(budget);
  EXPECT_EQ(pipeline.peak_leased_bytes(), 50u);
  pipeline.Run({});
  EXPECT_GE(pipeline.peak_leased_bytes(), 50u + 100 + 10);
  EXPECT_LE(pipeline.peak_leased_bytes(), plan.peak_bytes());
}

TEST_F(PipelineTest, SqueezedWhileItRunsItMakesDoWithTheLeastAndComputesTheSame) {
  MemoryBudget budget(1 << 20);
  Pipeline pipeline({.workers = 2, .on_drop = {}}, resources_);
  const Holder* holder = nullptr;
  std::vector<std::string> steps;
  pipeline.AddMade("counting", [](BuildContext&) { return std::make_unique<Counting>(400); });
  pipeline.AddMade("holder", [&](BuildContext&) {
    auto made = std::make_unique<Holder>(1);
    holder = made.get();
    return made;
  });
  pipeline.AddMade("gather", [](BuildContext&) { return std::make_unique<Gather>(4, 10); });
  pipeline.AddMade("collect", [&](BuildContext&) {
    return std::make_unique<Collect>(batches_, [&] {
      if (batches_.size() != 10) return;
      for (std::string step = pipeline.Squeeze(); !step.empty(); step = pipeline.Squeeze()) {
        steps.push_back(step);
      }
    });
  });
  pipeline.Plan(1 << 20, 50);
  pipeline.Open(budget);
  pipeline.Run({});
  EXPECT_THAT(steps, ElementsAre("`gather`: batches on their way, 1 in place of 2",
                                 "`counting`: samples on their way, 4 in place of 8",
                                 "`counting`: samples on their way, 2 in place of 4",
                                 "`counting`: samples on their way, 1 in place of 2",
                                 "`holder`: slots, 1 in place of 3"));
  EXPECT_EQ(holder->lever(), 1);
  ASSERT_EQ(batches_.size(), 100u);
  for (int i = 0; i < 400; ++i) EXPECT_EQ(batches_[i / 4][i % 4], i);
}

TEST_F(PipelineTest, StoppedBeforeItRunsItDoesNothing) {
  AddNumbers(6);
  AddBatches();
  pipeline_.Stop();
  Open();
  pipeline_.Run({});
  EXPECT_TRUE(pipeline_.stopped());
  EXPECT_TRUE(batches_.empty());
  EXPECT_EQ(pipeline_.figures()[0].figures.items, 0u);
}

TEST_F(PipelineTest, StoppedWhileItRunsItRunsNoLaterPass) {
  AddNumbers(100000);
  AddBatches([&] { pipeline_.Stop(); });
  Open();
  pipeline_.Run({.split = Split::kTrain, .epoch = 0});
  pipeline_.Run({.split = Split::kTrain, .epoch = 1});
  EXPECT_THAT(batches_, ElementsAre(ElementsAre(0, 1, 2, 3)));
}

}  // namespace
}  // namespace weir
