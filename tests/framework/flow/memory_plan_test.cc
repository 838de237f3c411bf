#include "framework/flow/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "framework/error.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = 1 << 20;

std::vector<StageCost> TrainingFlow() {
  return {
      {"directory", StageShape::kSource, {.lever = {}}},
      {"decode", StageShape::kMap, {.item_bytes = 2 * kMiB, .lever = {}}},
      {"batch", StageShape::kGather, {.item_bytes = 5 * kMiB, .lever = {}}},
      {"features",
       StageShape::kMap,
       {.held = {{"weights", MemoryTag::kModel, 9 * kMiB}},
        .item_bytes = 1 * kMiB,
        .lever = Lever{"workers", 8 * kMiB, 1, 2}}},
      {"train",
       StageShape::kSink,
       {.held = {{"state", MemoryTag::kOptimizer, 20 * kMiB}}, .lever = {}}},
  };
}

TEST(MemoryPlan, GivesEverythingItsMostWhereTheCeilingIsHigh) {
  const MemoryPlan plan = PlanMemory(TrainingFlow(), 1024 * kMiB, 60 * kMiB, 2);
  EXPECT_EQ(plan.levers[3], 2);
  EXPECT_EQ(plan.segments[0].max_tickets, 8);
  EXPECT_EQ(plan.segments[1].max_tickets, 2);
  EXPECT_EQ(plan.peak_bytes(), (60 + 8 * 2 + 2 * 6 + 9 + 2 * 8 + 20) * kMiB);
  EXPECT_EQ(plan.enough_bytes, plan.peak_bytes());
  EXPECT_EQ(plan.smallest_bytes, (60 + 2 + 6 + 9 + 8 + 20) * kMiB);
  // Pictures that are larger than most may use what is left over.
  EXPECT_EQ(plan.segments[0].pool_bytes, 1024 * kMiB - plan.peak_bytes() + 16 * kMiB);
}

TEST(MemoryPlan, OneThreadNeedsOneOutputOfAGather) {
  const MemoryPlan plan = PlanMemory(TrainingFlow(), 1024 * kMiB, 60 * kMiB, 1);
  EXPECT_EQ(plan.segments[0].max_tickets, 4);
  EXPECT_EQ(plan.segments[1].max_tickets, 1);
}

TEST(MemoryPlan, StaysUnderTheCeilingAndSharesWhatThereIs) {
  const std::size_t smallest = PlanMemory(TrainingFlow(), 1024 * kMiB, 60 * kMiB, 2).smallest_bytes;
  for (std::size_t limit = smallest; limit < smallest + 40 * kMiB; limit += kMiB / 2) {
    const MemoryPlan plan = PlanMemory(TrainingFlow(), limit, 60 * kMiB, 2);
    EXPECT_LE(plan.peak_bytes(), limit);
    std::size_t pools = 0, tickets = 0;
    for (const Segment& segment : plan.segments) {
      pools += segment.pool_bytes;
      tickets += segment.item_bytes * segment.max_tickets;
    }
    EXPECT_LE(plan.peak_bytes() - tickets + pools, limit);
  }
}

TEST(MemoryPlan, LetsEveryWorkerWorkBeforeMoreItemsWait) {
  const std::size_t smallest = PlanMemory(TrainingFlow(), 1024 * kMiB, 60 * kMiB, 2).smallest_bytes;
  // The second worker takes 8 MiB; before it fits, what is there goes to the tickets.
  const MemoryPlan with_one = PlanMemory(TrainingFlow(), smallest + 6 * kMiB, 60 * kMiB, 2);
  EXPECT_EQ(with_one.levers[3], 1);
  EXPECT_EQ(with_one.segments[0].max_tickets, 4);
  const MemoryPlan with_two = PlanMemory(TrainingFlow(), smallest + 8 * kMiB, 60 * kMiB, 2);
  EXPECT_EQ(with_two.levers[3], 2);
  EXPECT_EQ(with_two.segments[0].max_tickets, 1);
}

TEST(MemoryPlan, TakesTheLowMemoryModeWhereMoreCannotWorkAtOnceOtherwise) {
  std::vector<StageCost> flow = TrainingFlow();
  flow[4].footprint.lever = Lever{
      "steps", 40 * kMiB, 1, 2, "", Lever::LowMemoryMode{"low-memory steps", 15 * kMiB, 0.8, ""}};
  const std::size_t others = PlanMemory(TrainingFlow(), 1024 * kMiB, 60 * kMiB, 2).smallest_bytes;
  const auto plan = [&](std::size_t beside_others) {
    return PlanMemory(flow, others + beside_others * kMiB, 60 * kMiB, 2);
  };
  const MemoryPlan plenty = plan(400);
  EXPECT_FALSE(plenty.is_low_memory);
  EXPECT_EQ(plenty.levers[4], 2);
  EXPECT_EQ(plenty.rows.back().what, "steps");
  EXPECT_EQ(plenty.smallest_bytes, others + 15 * kMiB);

  const MemoryPlan less = plan(60);  // for one, or for two in the low-memory mode and the workers
  EXPECT_TRUE(less.is_low_memory);
  EXPECT_EQ(less.levers[4], 2);
  EXPECT_EQ(less.rows.back().what, "low-memory steps");
  EXPECT_EQ(less.rows.back().bytes_each, 15 * kMiB);
  EXPECT_TRUE(plan(15).is_low_memory);
  EXPECT_EQ(plan(15).levers[4], 1);
  EXPECT_THROW(plan(14), Error);
  flow[4].footprint.lever->max = 1;
  EXPECT_FALSE(plan(60).is_low_memory);  // as nothing is gained
}

TEST(MemoryPlan, LeavesRoomForALargerItemAtTheSmallestCeilingToo) {
  std::vector<StageCost> flow = TrainingFlow();
  const std::size_t without = PlanMemory(flow, 1024 * kMiB, 60 * kMiB, 2).smallest_bytes;
  flow.front().footprint.largest_item_bytes = flow.front().footprint.item_bytes + 5 * kMiB;
  const MemoryPlan plan = PlanMemory(flow, without + 5 * kMiB, 60 * kMiB, 2);
  EXPECT_EQ(plan.smallest_bytes, without + 5 * kMiB);
  EXPECT_EQ(plan.segments.front().pool_bytes, 7 * kMiB);
  EXPECT_EQ(plan.peak_bytes(), plan.smallest_bytes);
  // Usual items share the room while no larger one needs it.
  EXPECT_EQ(plan.segments.front().max_tickets, 3);
  EXPECT_EQ(plan.rows[2].what, "room for a larger one");
  EXPECT_EQ(plan.rows[2].bytes(), 1 * kMiB);

  const MemoryPlan plenty = PlanMemory(flow, 1024 * kMiB, 60 * kMiB, 2);
  EXPECT_EQ(plenty.peak_bytes(), plenty.enough_bytes);
  EXPECT_EQ(plenty.peak_bytes(), (60 + 8 * 2 + 2 * 6 + 9 + 2 * 8 + 20) * kMiB);
}

TEST(MemoryPlan, GrantsWhatOnlySavesTimeWhereAllElseHasItsMost) {
  std::vector<StageCost> flow = TrainingFlow();
  const MemoryPlan without = PlanMemory(flow, 1024 * kMiB, 60 * kMiB, 2);
  const HeldPart kept{"kept", MemoryTag::kFeature, 30 * kMiB};
  flow[3].footprint.extra = ExtraPart{kept, "it is faster"};
  const MemoryPlan enough = PlanMemory(flow, without.enough_bytes + 30 * kMiB, 60 * kMiB, 2);
  EXPECT_TRUE(enough.has_extra[3]);
  EXPECT_EQ(enough.peak_bytes(), without.peak_bytes() + 30 * kMiB);
  EXPECT_EQ(enough.enough_bytes, enough.peak_bytes());
  EXPECT_EQ(enough.smallest_bytes, without.smallest_bytes);

  const MemoryPlan less = PlanMemory(flow, enough.enough_bytes - 1, 60 * kMiB, 2);
  EXPECT_FALSE(less.has_extra[3]);
  EXPECT_EQ(less.levers, enough.levers);
  EXPECT_EQ(less.peak_bytes(), without.peak_bytes());
  const auto row = std::find_if(less.rows.begin(), less.rows.end(),
                                [](const PlanRow& each) { return each.what == "kept"; });
  ASSERT_NE(row, less.rows.end());
  EXPECT_EQ(row->CountText(), "0 of 1");
  EXPECT_EQ(row->why, "it is faster");
}

TEST(MemoryPlan, RefusesWithTheBillAndTheSmallestCeilingThatWorks) {
  const std::size_t smallest = PlanMemory(TrainingFlow(), 1024 * kMiB, 60 * kMiB, 2).smallest_bytes;
  EXPECT_NO_THROW(PlanMemory(TrainingFlow(), smallest, 60 * kMiB, 2));
  try {
    PlanMemory(TrainingFlow(), smallest - 1, 60 * kMiB, 2);
    FAIL() << "it does not fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kMemory);
    EXPECT_STREQ(
        error.what(),
        "this job does not fit in 105 MiB: at its smallest it holds\n"
        "  stage      holds                          tag             each   count     bytes\n"
        "  process    code, stacks, allocator        reserve     60.0 MiB       1  60.0 MiB\n"
        "  directory  samples on their way           image       2.00 MiB  1 of 8  2.00 MiB\n"
        "  batch      batches on their way           batch       6.00 MiB  1 of 2  6.00 MiB\n"
        "  features   weights                        model       9.00 MiB       1  9.00 MiB\n"
        "  features   workers                        activation  8.00 MiB  1 of 2  8.00 MiB\n"
        "  train      state                          optimizer   20.0 MiB       1  20.0 MiB\n"
        "             peak                                                          105 MiB\n"
        "             ceiling                                                       105 MiB\n"
        "The largest part is train, state: 20.0 MiB.");
    EXPECT_EQ(error.remedy(), "Raise memory.host (or --memory) to 105MiB or more.");
  }
}

}  // namespace
}  // namespace weir
