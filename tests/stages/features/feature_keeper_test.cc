#include "stages/features/feature_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace weir {
namespace {

using ::testing::HasSubstr;

// 10 pictures to train on and 4 to validate with, in batches of 4.
struct Job {
  Job() {
    auto order = std::make_shared<SampleOrder>();
    order->index_end = 14;
    order->begin = [](const Pass& pass) {
      const std::uint64_t end = pass.split == Split::kTrain ? 10 : 14;
      return [i = pass.split == Split::kTrain ? pass.first_sample : 10, end]() mutable {
        return i < end ? std::optional(Sample{i++, 0, "a.jpg"}) : std::nullopt;
      };
    };
    resources.Put(order);
    auto counts = std::make_shared<SampleCounts>();
    counts->of_split = {{Split::kTrain, 10}, {Split::kValidation, 4}};
    resources.Put(counts);
    resources.Put(std::make_shared<Batching>(Batching{.size = 4}));
  }
  FeatureKeeper Keeper() {
    const BuildContext context{.upstream = {}, .resources = resources};
    return FeatureKeeper({.place = {}, .folder = {}, .epochs = 3, .dims = {256}}, context);
  }

  Resources resources;
};

// In the table a number for each of 14 pictures and 2 splits; 14 samples of 256 floats.
constexpr std::size_t kBytes = 2 * 14 * 4 + 14 * 256 * 4;

TEST(FeatureKeeper, TakesRoomThatNothingElseNeeds) {
  Job job;
  const FeatureKeeper keeper = job.Keeper();
  Footprint footprint;
  keeper.AddTo(footprint);
  EXPECT_EQ(footprint.held_bytes(), 0u);
  EXPECT_EQ(footprint.extra->part.bytes, kBytes);
}

TEST(FeatureKeeper, SaysHowMuchThereWasNoRoomFor) {
  Job job;
  FeatureKeeper keeper = job.Keeper();
  keeper.Open(/*has_extra=*/false, [] { return std::string(); });
  keeper.BeginPass({.split = Split::kTrain});
  EXPECT_FALSE(keeper.has_pass());
  EXPECT_EQ(keeper.Announcement(),
            "features: made anew in each epoch: the ceiling leaves no room for 14.1 KiB");
}

TEST(FeatureKeeper, GivesAPassInItsBatchesWithoutTheDropped) {
  Job job;
  FeatureKeeper keeper = job.Keeper();
  keeper.Open(/*has_extra=*/true, [] { return std::string(); });
  const Pass train{.split = Split::kTrain};
  keeper.BeginPass(train);
  EXPECT_FALSE(keeper.has_pass());
  FeatureBatch all;
  all.dims = {256};
  for (std::uint64_t i = 0; i < 10; ++i) {
    if (i != 2) all.samples.push_back({i, 0, "a.jpg"});
  }
  all.values = AlignedBuffer<float>(9 * 256);
  for (std::size_t i = 0; i < all.values.size(); ++i) all.values.data()[i] = static_cast<float>(i);
  keeper.Keep(all);
  keeper.EndPass();

  keeper.BeginPass({.split = Split::kTrain, .epoch = 1});
  ASSERT_TRUE(keeper.has_pass());
  const auto first = keeper.NextBatch(), second = keeper.NextBatch(), third = keeper.NextBatch();
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(first->size(), 3);  // the one that was dropped was of this batch
  EXPECT_EQ(first->samples.back().order, 3u);
  EXPECT_EQ(second->samples.front().index, 4u);
  EXPECT_EQ(second->values.data()[1], 3 * 256 + 1);
  EXPECT_EQ(third->size(), 2);
  EXPECT_EQ(third->samples.back().order, 9u);
  EXPECT_FALSE(keeper.NextBatch());
  keeper.BeginPass({.split = Split::kTrain, .epoch = 1, .first_sample = 4});
  const auto resumed = keeper.NextBatch();
  EXPECT_EQ(resumed->samples.front().index, 4u);
  EXPECT_EQ(resumed->samples.front().order, 4u);
  keeper.BeginPass({.split = Split::kValidation});
  EXPECT_FALSE(keeper.has_pass());
  EXPECT_THAT(keeper.Announcement(),
              HasSubstr("features: of both splits kept in memory, 14.1 KiB"));
}

}  // namespace
}  // namespace weir
