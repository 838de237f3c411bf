// Several ranks, each the stage `train` in a thread of its own, learn what one does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "stages/batch/mixing.h"
#include "stages/train/trainable_model.h"
#include "tests/stages/ranks/thread_ranks.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using ::testing::Each;

constexpr int kBatch = 8;
constexpr int kSamples = 21;  // the last batch has 5: the last of many ranks have nothing of it

SampleCounts Counts() {
  return {.of_split = {{Split::kTrain, kSamples}, {Split::kValidation, kSamples}}};
}

std::shared_ptr<Ranks> RanksOf(RankGroup& group, int piece_size) {
  const RankPlace place = group.place();
  return std::make_shared<Ranks>(
      Ranks{.share = {.rank = place.rank,
                      .ranks = place.ranks,
                      .batch_size = kBatch,
                      .piece_size = piece_size},
            .group = std::shared_ptr<RankGroup>(&group, [](RankGroup*) {})});
}

struct Outcome {
  std::vector<float> state;
  double loss = 0, validation_loss = 0;
  std::uint64_t images = 0, step = 0, next_sample = 0;
  bool operator==(const Outcome&) const = default;
};

// Some alone in their piece, a whole piece, and a whole batch.
const std::set<std::uint64_t> kDropped = {1, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 18};

std::vector<Outcome> Train(const SmallTraining& training, int ranks, int piece_size,
                           const std::set<std::uint64_t>& dropped) {
  std::vector<Outcome> outcomes(static_cast<std::size_t>(ranks));
  testing::OnRanks(ranks, [&](RankGroup& group) {
    Running running(training, {.batch = kBatch,
                               .in_flight = 2,
                               .counts = Counts(),
                               .ranks = RanksOf(group, piece_size),
                               .dropped = dropped});
    Outcome& outcome = outcomes[static_cast<std::size_t>(group.place().rank)];
    for (int epoch = 0; epoch < 2; ++epoch) running.Pass(Split::kTrain, epoch, kSamples);
    outcome.loss = running.learner().metrics().loss_sum;
    running.Pass(Split::kValidation, 0, kSamples);
    outcome.validation_loss = running.learner().metrics().loss_sum;
    outcome.images = running.learner().metrics().images;
    outcome.step = running.learner().position().step;
    outcome.next_sample = running.learner().position().next_sample;
    outcome.state = running.State();
  });
  return outcomes;
}

TEST(TrainOverRanks, LearnsTheSameBitsForAnyNumberOfThem) {
  SmallTraining in_micro_batches = PartlyFrozen();
  in_micro_batches.config->micro_batch = 1;
  for (const SmallTraining& training : {HeadOnly(), PartlyFrozen(), in_micro_batches}) {
    for (const auto& dropped : {std::set<std::uint64_t>(), kDropped}) {
      const Outcome alone = Train(training, 1, 2, dropped).front();
      EXPECT_EQ(alone.images, kSamples - dropped.size());
      EXPECT_EQ(alone.step, dropped.empty() ? 6u : 4u);
      EXPECT_EQ(alone.next_sample, 24u);
      for (int ranks = 2; ranks <= 4; ++ranks) {
        EXPECT_THAT(Train(training, ranks, 2, dropped), Each(alone)) << ranks << " ranks";
      }
    }
  }
}

// The sum is made in another order, so to float32's rounding, in Adam's first steps amplified.
TEST(TrainOverRanks, LearnsWhatABatchInOnePieceDoes) {
  Running whole(PartlyFrozen(), {.batch = kBatch});
  for (int epoch = 0; epoch < 2; ++epoch) whole.Pass(Split::kTrain, epoch, kSamples);
  const std::vector<float> expected = whole.State();
  const std::vector<float> state = Train(PartlyFrozen(), 2, 2, {}).front().state;
  ASSERT_EQ(state.size(), expected.size());
  for (std::size_t i = 0; i < state.size(); ++i) ASSERT_NEAR(state[i], expected[i], 2e-3);
}

// Where all of the backbone is frozen the ranks tell each other the features.
TEST(TrainOverRanks, LearnsAHeadToTheBitAsOneWithoutRanksDoes) {
  Running alone(HeadOnly(), {.batch = kBatch, .dropped = kDropped});
  for (int epoch = 0; epoch < 2; ++epoch) alone.Pass(Split::kTrain, epoch, kSamples);
  alone.Pass(Split::kValidation, 0, kSamples);
  for (const Outcome& outcome : Train(HeadOnly(), 3, 2, kDropped)) {
    EXPECT_TRUE(outcome.state == alone.State());
    EXPECT_EQ(outcome.validation_loss, alone.learner().metrics().loss_sum);
  }
}

TEST(TrainOverRanks, StopsBehindTheSameBatchOnAll) {
  std::mutex mutex;
  std::vector<std::uint64_t> stopped_at;
  testing::OnRanks(3, [&](RankGroup& group) {
    const std::shared_ptr<Ranks> ranks = RanksOf(group, 2);
    Running running(HeadOnly(), {.batch = kBatch, .counts = Counts(), .ranks = ranks});
    const bool wants = group.place().rank == 1;
    ranks->wants_to_stop = [&, wants] { return wants && running.learner().position().step == 1; };
    ranks->stop = [&] {
      const std::lock_guard lock(mutex);
      stopped_at.push_back(running.learner().position().step);
    };
    running.Pass(Split::kTrain, 0, kSamples);
  });
  EXPECT_THAT(stopped_at, ::testing::ElementsAre(2u, 2u, 2u));
}

TEST(TrainOverRanks, BillsItsSumsAndWhatTheRanksTellEachOther) {
  const auto bytes = [](const SmallTraining& training, std::shared_ptr<Ranks> ranks,
                        const std::string& what) {
    std::size_t held = 0;
    const Footprint footprint =
        Running(training, {.batch = kBatch, .counts = Counts(), .ranks = std::move(ranks)})
            .footprint();
    for (const HeldPart& part : footprint.held) held += part.what == what ? part.bytes : 0;
    return held;
  };
  const std::string sum = "sum over pieces and ranks", told = "what ranks tell each other";
  const std::size_t run = TrainableModel::GradientBytes(*PartlyFrozen().MakeModel());
  EXPECT_EQ(bytes(PartlyFrozen(), nullptr, sum), 0u);
  testing::OnRanks(1, [&](RankGroup& group) {
    EXPECT_EQ(bytes(PartlyFrozen(), RanksOf(group, 2), sum), 2 * run);  // 3 sums at once
    EXPECT_EQ(bytes(PartlyFrozen(), RanksOf(group, 8), sum), 0u);
    EXPECT_EQ(bytes(PartlyFrozen(), RanksOf(group, 2), told), 0u);
    EXPECT_EQ(bytes(HeadOnly(), RanksOf(group, 2), sum), 0u);
  });
  testing::OnRanks(2, [&](RankGroup& group) {
    EXPECT_EQ(bytes(PartlyFrozen(), RanksOf(group, 2), sum), run + (std::size_t{4} << 20));
    EXPECT_GT(bytes(PartlyFrozen(), RanksOf(group, 2), told), 2 * kBatch * sizeof(float));
    EXPECT_GT(bytes(HeadOnly(), RanksOf(group, 2), told), 2 * kBatch * 1280 * sizeof(float));
  });
}

TEST(TrainOverRanks, RefusesWhatLooksAcrossABatch) {
  testing::OnRanks(1, [](RankGroup& group) {
    SmallTraining training = PartlyFrozen();
    training.source->config.backbone.batch_norm = BatchNormMode::kTrain;
    const Running::Options options{
        .batch = kBatch, .counts = Counts(), .ranks = RanksOf(group, kBatch)};
    EXPECT_EQ(CaughtError([&] { Running running(training, options); }),
              "`ranks` share a batch out, and a batch norm learns on the statistics of all of it\n"
              "Keep batch norms on stored statistics (batch_norm: stored, and none in the head), "
              "or train with one process and without `ranks`.");
    Resources resources;
    resources.Put(RanksOf(group, 2));
    BuildContext context{.upstream = {{kBatch, 2, 2, 3}, 0}, .resources = resources};
    EXPECT_EQ(CaughtError([&] { Mixup({}, context); }),
              "`mixup` mixes the pictures of a batch, which `ranks` share out\n"
              "Take it out of the pipeline, or train with one process and without `ranks`.");
  });
}

}  // namespace
}  // namespace weir
