// Flows that are no chain: branches, joins, several sinks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <random>

#include "framework/error.h"
#include "tests/framework/graph/flow.h"

namespace weir {
namespace {

using testing::AddUp;
using testing::Apply;
using testing::Collect;
using testing::Counting;
using ::testing::ElementsAre;
using testing::Flow;
using testing::Gather;
using testing::Note;
using testing::Number;
using testing::UpTo;

Apply::Function Plus(int more) {
  return [more](Number number, StageContext&) -> Outcome<Number> {
    return Number{number.value + more, number.held_bytes};
  };
}

// A payload that counts its copies.
struct Counted {
  static constexpr PortType kPortType = "test/counted";
  static inline std::atomic<int> copies{0};
  static inline std::atomic<int> alive{0};
  explicit Counted(int number) : value(number) { ++alive; }
  Counted(const Counted& other) : value(other.value) { ++copies, ++alive; }
  Counted(Counted&& other) noexcept : value(other.value) { ++alive; }
  Counted& operator=(Counted other) noexcept {
    value = other.value;
    return *this;
  }
  ~Counted() { --alive; }
  int value;
};

struct Begin final : MapStage<Number, Counted> {
  Outcome<Counted> Map(Number number, StageContext&) override { return Counted(number.value); }
};
struct Change final : MapStage<Counted, Counted> {
  Outcome<Counted> Map(Counted counted, StageContext&) override {
    counted.value += 1000;
    return counted;
  }
};
struct Look final : ReadingMapStage<Counted, Number> {
  Outcome<Number> Map(const Counted& counted, StageContext&) override {
    return Number{counted.value};
  }
};

TEST(Branches, ShareAPayloadAndCopyItOnlyForThoseThatChangeIt) {
  std::vector<int> changed, seen, also_seen;
  Flow flow(1 << 20);
  Counted::copies = 0;
  flow.Add<Counting>("counting", 100)
      .Add<Begin>("begin")
      .Add<Change>("change")
      .Add<Look>("look")
      .Add<Note>("note", changed)
      .From({1})
      .Add<Look>("look too")
      .Add<Note>("note too", seen)
      .From({1})
      .Add<Look>("and look")
      .Add<Note>("and note", also_seen);
  flow.Run();
  EXPECT_EQ(seen, UpTo(100));
  EXPECT_EQ(also_seen, UpTo(100));
  for (int& value : changed) value -= 1000;
  EXPECT_EQ(changed, UpTo(100));
  EXPECT_LE(Counted::copies, 100);  // none, where the others had seen it already
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Branches, OneThatChangesIsNotSeenByTheOthers) {
  std::vector<int> one, two;
  Flow flow(1 << 20);
  flow.Add<Counting>("counting", 500)
      .Add<Begin>("begin")
      .Add<Change>("change")
      .Add<Change>("change more")
      .Add<Look>("look")
      .Add<Note>("note", one)
      .From({1})
      .Add<Change>("change too")
      .Add<Look>("look too")
      .Add<Note>("note too", two);
  flow.Run();
  ASSERT_EQ(one.size(), 500u);
  ASSERT_EQ(two.size(), 500u);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(one[i], i + 2000);
    EXPECT_EQ(two[i], i + 1000);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Branches, AJoinMeetsBothHalvesOfEachItemWhateverTheirPace) {
  Flow flow(1 << 20);
  const auto uneven = [](Number number, StageContext&) -> Outcome<Number> {
    std::atomic<int> turns{0};
    while (turns < number.value % 5 * 2000) ++turns;
    return Number{number.value * 10};
  };
  std::vector<int> sums;
  flow.Add<Counting>("counting", 300)
      .Add<Apply>("same", Plus(0))
      .Add<Apply>("tens", uneven)
      .From({1})
      .Add<Apply>("hundred", Plus(100))
      .From({2, 3})
      .Add<AddUp>("sum")
      .Add<Note>("note", sums);
  flow.Run();
  ASSERT_EQ(sums.size(), 300u);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(sums[i], 11 * i + 100);
}

TEST(Branches, AnItemThatIsDroppedOnOneEndsAtTheJoinAndGoesOnElsewhere) {
  Flow flow(1 << 20);
  std::vector<int> sums, all;
  flow.Add<Counting>("counting", 9)
      .Add<Apply>("same", Plus(0))
      .Add<Apply>("odd",
                  [](Number number, StageContext&) -> Outcome<Number> {
                    if (number.value % 3 == 0) return Drop{number.name(), "is a multiple"};
                    return number;
                  })
      .From({1})
      .Add<Apply>("other", Plus(0))
      .From({2, 3})
      .Add<AddUp>("sum")
      .Add<Note>("note", sums)
      .From({3})
      .Add<Note>("all", all);
  flow.Run();
  EXPECT_THAT(sums, ElementsAre(2, 4, 8, 10, 14, 16));
  EXPECT_EQ(all, UpTo(9));
  EXPECT_EQ(flow.drops.size(), 3u);
}

TEST(Branches, ArePaidForByTheTicketOfTheirItem) {
  const auto holding = [](Number number, StageContext&) -> Outcome<Number> {
    return Number{number.value, 100};
  };
  Flow flow(100'000, 4);
  std::vector<int> notes;
  flow.Add<Counting>("counting", 200)
      .Add<Apply>("first", holding, 100)  // read by one, changed by two: two copies
      .Add<Apply>("one", holding, 100)
      .Add<Gather>("gather", 4, 50)
      .AddCollect()
      .From({1})
      .Add<Apply>("two", holding, 100)
      .Add<Note>("note", notes);
  flow.Run();
  // 100 for the first and for each branch, and a copy for each of the two that change it.
  EXPECT_EQ(flow.plan().segments[0].item_bytes, 500u);
  EXPECT_EQ(flow.plan().segments[1].item_bytes, 50u);
  EXPECT_LE(flow.peak_bytes(0), flow.plan().segments[0].pool_bytes);
  EXPECT_EQ(flow.used_bytes(0), 0u);
  EXPECT_EQ(flow.used_bytes(1), 0u);
  EXPECT_EQ(notes, UpTo(200));
}

TEST(Branches, CopiesBehindAStageThatWorksInPlaceArePaidForToo) {
  const auto holding = [](Number number, StageContext&) -> Outcome<Number> {
    return Number{number.value, 100};
  };
  Flow flow(100'000, 4);
  std::vector<int> one, two;
  flow.Add<Counting>("counting", 200)
      .Add<Apply>("first", holding, 100)
      .Add<Apply>("in place", Plus(1))
      .Add<Apply>("in place too", Plus(1))
      .Add<Apply>("one", holding, 100)
      .Add<Note>("note one", one)
      .From({3})
      .Add<Apply>("two", holding, 100)
      .Add<Note>("note two", two);
  flow.Run();
  // 100 for the first and for each branch, and a copy for each of the two that change it.
  EXPECT_EQ(flow.plan().segments[0].item_bytes, 500u);
  EXPECT_LE(flow.peak_bytes(0), flow.plan().segments[0].pool_bytes);
  EXPECT_GE(flow.peak_bytes(0), 500u);
  EXPECT_EQ(flow.used_bytes(0), 0u);
  EXPECT_EQ(one.size(), 200u);
  EXPECT_EQ(two, one);
}

TEST(Branches, AFailureOnOneEndsTheRunAndTheNextRuns) {
  Flow flow(1 << 20);
  std::vector<int> notes;
  std::atomic<bool> fails{true};
  flow.Add<Counting>("counting", 50)
      .Add<Apply>("same", Plus(0))
      .Add<Apply>("fails",
                  [&](Number number, StageContext&) -> Outcome<Number> {
                    if (fails && number.value == 20) throw Error(ErrorKind::kData, "broken");
                    return number;
                  })
      .From({1})
      .Add<Apply>("other", Plus(0))
      .From({2, 3})
      .Add<AddUp>("sum")
      .Add<Note>("note", notes);
  EXPECT_THROW(flow.Run(), Error);
  EXPECT_EQ(flow.used_bytes(0), 0u);
  fails = false;
  notes.clear();
  flow.Run();
  EXPECT_EQ(notes.size(), 50u);
}

// A graph of up to a dozen stages drawn by chance, its ceiling too: what arrives at each sink is
// what arithmetic says.
class Drawn {
 public:
  explicit Drawn(unsigned seed) : random_(seed) {}

  void Run() {
    const int items = Below(40);
    const int workers = 1 + Below(4);
    const std::size_t item_bytes = Below(2) == 0 ? 0 : 64;
    Build build;
    Draw(build);
    // Enough for one item at a time, or somewhat more.
    Flow measured(std::size_t{1} << 30, workers);
    Outputs unused(build.size());
    Make(measured, build, 0, item_bytes, unused);
    measured.Run();
    const std::size_t smallest = measured.plan().smallest_bytes;
    Flow flow(smallest + static_cast<std::size_t>(Below(3)) * 200, workers);
    Outputs outputs(build.size());
    Make(flow, build, items, item_bytes, outputs);
    for (int pass = 0; pass < 2; ++pass) {
      for (Output& output : outputs) output = {};
      flow.Run();
      for (std::size_t i = 0; i < build.size(); ++i) {
        if (build[i].kind == Kind::kSink) {
          EXPECT_EQ(outputs[i].items, Expected(build, i, items));
        }
        if (build[i].kind == Kind::kGather) CheckBatches(build, i, items, outputs[i].batches);
      }
      for (std::size_t i = 0; i < flow.plan().segments.size(); ++i) {
        EXPECT_EQ(flow.used_bytes(i), 0u);
        EXPECT_LE(flow.peak_bytes(i), flow.plan().segments[i].pool_bytes);
      }
    }
  }

 private:
  enum class Kind { kSource, kMap, kDropping, kJoin, kGather, kSink };
  struct Stage {
    Kind kind;
    std::vector<int> from;
    int number = 0;  // what a map adds, or a dropping one divides by
  };
  using Build = std::vector<Stage>;
  struct Output {  // what a sink was given, or the sink behind a gather
    std::vector<int> items;
    std::vector<std::vector<int>> batches;
  };
  using Outputs = std::vector<Output>;

  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  void Draw(Build& build) {
    build = {{Kind::kSource, {}}, {Kind::kMap, {0}, Below(10)}};
    std::vector<int> numbers = {1};  // stages that give a number
    for (int count = Below(8); count > 0; --count) {
      const int from = numbers[Below(static_cast<int>(numbers.size()))];
      const int other = numbers[Below(static_cast<int>(numbers.size()))];
      const int kind = Below(4);
      if (kind == 0 && from != other) {
        build.push_back({Kind::kJoin, {from, other}});
      } else if (kind == 1) {
        build.push_back({Kind::kDropping, {from}, 2 + Below(5)});
      } else {
        build.push_back({Kind::kMap, {from}, Below(100)});
      }
      numbers.push_back(static_cast<int>(build.size()) - 1);
    }
    // Every branch ends in a sink, some in a gather and a sink too.
    const std::size_t stages = build.size();
    for (std::size_t i = 1; i < stages; ++i) {
      bool is_taken = false;
      for (const Stage& stage : build) {
        is_taken |= std::count(stage.from.begin(), stage.from.end(), static_cast<int>(i)) > 0;
      }
      if (!is_taken || Below(3) == 0) build.push_back({Kind::kSink, {static_cast<int>(i)}});
      if (Below(4) == 0) build.push_back({Kind::kGather, {static_cast<int>(i)}, 1 + Below(5)});
    }
  }

  static void Make(Flow& flow, const Build& build, int items, std::size_t item_bytes,
                   Outputs& outputs) {
    std::vector<int> places;  // where each of the build's stages stands in the flow
    int size = 0;
    for (std::size_t i = 0; i < build.size(); ++i) {
      const Stage& stage = build[i];
      std::vector<int> from;
      for (const int index : stage.from) from.push_back(places[index]);
      flow.From(from);
      places.push_back(size++);
      const std::string name = std::to_string(i);
      switch (stage.kind) {
        case Kind::kSource:
          flow.From({}).Add<Counting>(name, items);
          break;
        case Kind::kMap:
          flow.Add<Apply>(name, Plus(stage.number), item_bytes);
          break;
        case Kind::kDropping:
          flow.Add<Apply>(
              name,
              [divisor = stage.number](Number number, StageContext&) -> Outcome<Number> {
                if (number.value % divisor == 0) return Drop{number.name(), "divides"};
                return number;
              },
              item_bytes);
          break;
        case Kind::kJoin:
          flow.Add<AddUp>(name, item_bytes);
          break;
        case Kind::kGather:
          flow.Add<Gather>(name, stage.number, item_bytes)
              .Add<Collect>("collect " + name, outputs[i].batches, [] {});
          ++size;
          break;
        case Kind::kSink:
          flow.Add<Note>(name, outputs[i].items);
          break;
      }
    }
  }

  // What stage `i` makes of `item`; nothing where it is dropped.
  static std::optional<int> Value(const Build& build, std::size_t i, int item) {
    const Stage& stage = build[i];
    if (stage.kind == Kind::kSource) return item;
    const std::optional<int> in = Value(build, stage.from[0], item);
    if (!in || stage.kind == Kind::kSink || stage.kind == Kind::kGather) return in;
    if (stage.kind == Kind::kMap) return *in + stage.number;
    if (stage.kind == Kind::kDropping) return *in % stage.number == 0 ? std::nullopt : in;
    const std::optional<int> other = Value(build, stage.from[1], item);
    return other ? std::optional(*in + *other) : std::nullopt;
  }

  static std::vector<int> Expected(const Build& build, std::size_t sink, int items) {
    std::vector<int> values;
    for (int item = 0; item < items; ++item) {
      if (const auto value = Value(build, sink, item)) values.push_back(*value);
    }
    return values;
  }

  static void CheckBatches(const Build& build, std::size_t gather, int items,
                           const std::vector<std::vector<int>>& batches) {
    std::vector<int> all;
    for (const std::vector<int>& batch : batches) {
      EXPECT_LE(batch.size(), static_cast<std::size_t>(build[gather].number));
      all.insert(all.end(), batch.begin(), batch.end());
    }
    EXPECT_EQ(all, Expected(build, gather, items));
  }

  std::mt19937 random_;
};

// WEIR_GRAPHS=10000 for more of them.
TEST(Branches, AnyGraphEndsAndGivesWhatItShould) {
  const char* wanted = std::getenv("WEIR_GRAPHS");
  const int graphs = wanted ? std::atoi(wanted) : 500;
  for (int seed = 0; seed < graphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Drawn(static_cast<unsigned>(seed)).Run();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace weir
