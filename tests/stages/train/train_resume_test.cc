// A training that goes on where it stopped, and what it refuses to go on from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/error.h"
#include "stages/train/optimizers/rmsprop.h"
#include "stages/train/schedules/cosine_schedule.h"
#include "stages/train/schedules/reduce_on_plateau.h"
#include "tests/stages/train/running_train.h"
#include "tests/stages/train/small_training.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

TEST(TrainResume, ResumedItIsAsIfItHadNeverStopped) {
  const ScratchFolder folder;
  SmallTraining training = PartlyFrozen();
  training.config->epochs = 3;
  training.config->schedule =
      std::make_shared<CosineSchedule>(CosineSchedule::Params{.warm_up = WarmUp{.steps = 4}});
  const Running::Options options{.counts = SampleCounts{{{Split::kTrain, 24}}}};
  Running whole(training, options);
  int steps = 0;
  whole.learner().after_step = [&] {
    if (++steps == 5) whole.learner().Save(folder / "at step 5", "remembered");
  };
  for (int epoch = 0; epoch < 3; ++epoch) whole.Pass(Split::kTrain, epoch, 24);
  whole.learner().Save(folder / "whole", "");

  Running resumed(training, options);
  EXPECT_EQ(resumed.learner().Restore(folder / "at step 5"), "remembered");
  const TrainingPosition position = resumed.learner().position();
  EXPECT_EQ(position.epoch, 1);
  EXPECT_EQ(position.next_sample, 16u);
  EXPECT_EQ(position.step, 5u);
  EXPECT_EQ(position.metrics.images, 16u);
  resumed.Pass(Split::kTrain, 1, 24, 16);
  resumed.Pass(Split::kTrain, 2, 24);
  resumed.learner().Save(folder / "resumed", "");
  EXPECT_TRUE(FileText(folder / "resumed") == FileText(folder / "whole"));
}

TEST(TrainResume, FollowsTheFiguresOfTheEpochsBefore) {
  const ScratchFolder folder;
  SmallTraining training = HeadOnly();
  training.config->epochs = 4;
  training.config->schedule =
      std::make_shared<ReduceOnPlateau>(ReduceOnPlateau::Params{.factor = 0.5, .patience = 1});
  const Running::Options options{.counts =
                                     SampleCounts{{{Split::kTrain, 24}, {Split::kValidation, 8}}}};
  const std::vector<double> figures = {0.5, 0.75, 0.75, 0.25};
  const auto learn = [&](Running& running, int begin, int end) {
    for (int epoch = begin; epoch < end; ++epoch) {
      running.Pass(Split::kTrain, epoch, 24);
      running.learner().EndEpoch(figures[epoch]);
    }
  };
  Running whole(training, options);
  learn(whole, 0, 3);
  whole.learner().Save(folder / "after 3", "");
  learn(whole, 3, 4);

  Running resumed(training, options);
  resumed.learner().Restore(folder / "after 3");
  EXPECT_EQ(resumed.learner().position().monitored, (std::vector<double>{0.5, 0.75, 0.75}));
  learn(resumed, 3, 4);
  EXPECT_TRUE(resumed.State() == whole.State());

  training.config->schedule = std::make_shared<ConstantSchedule>(ConstantSchedule::Params{});
  Running constant(training, options);
  constant.learner().Restore(folder / "after 3");
  learn(constant, 3, 4);
  EXPECT_FALSE(constant.State() == whole.State()) << "the rate has fallen for the last epoch";
}

// A source of weights that are what they were until the test exchanges them.
class ExchangedWeights {
 public:
  explicit ExchangedWeights(SmallTraining& training) {
    training.source->config.backbone.weights = "w.pth";
    training.source->open_backbone = [this](const Model& model) {
      BackboneWeights weights = LivelyBackbone(model.network());
      if (is_gone) throw Error(ErrorKind::kData, "w.pth: is gone", "copy it again");
      if (layer >= 0) weights.layers[layer].beta[3] += 1e-3f;
      return weights;
    };
  }
  int layer = -1;  // one of its numbers is another
  bool is_gone = false;
};

TEST(TrainResume, AModelIsNeverMadeOfOtherFrozenWeightsThanThoseThatWereLearntWith) {
  const std::string kept =
      "\nThe checkpoint is kept: put the file back as it was, and --resume writes the model.";
  SmallTraining training = PartlyFrozen();
  ExchangedWeights weights(training);
  Running running(training);
  running.Pass(Split::kTrain, 0, 8);
  const std::vector<float> right = running.State();
  weights.layer = 2;
  EXPECT_EQ(CaughtError([&] { running.State(); }),
            "w.pth: was changed while it was in use: the frozen layers have other numbers now than "
            "those that the others learnt with" +
                kept);
  weights.layer = running.model().network().size() - 1;
  EXPECT_TRUE(running.State() == right) << "that layer learns: its numbers are not the file's";
  weights.is_gone = true;
  EXPECT_EQ(CaughtError([&] { running.State(); }), "w.pth: is gone" + kept);
}

TEST(TrainResume, ARunOfOtherFrozenWeightsIsNotResumed) {
  const ScratchFolder folder;
  SmallTraining training = PartlyFrozen();
  ExchangedWeights weights(training);
  Running(training).learner().Save(folder / "state", "");
  EXPECT_EQ(Running(training).learner().Restore(folder / "state"), "");
  weights.layer = 0;
  Running other(training);
  EXPECT_THAT(CaughtError([&] { other.learner().Restore(folder / "state"); }),
              testing::ContainsRegex("is of another training: frozen weights was `sha256 "
                                     "[0-9a-f]{16}`, and is `sha256 [0-9a-f]{16}` now\n"));
}

TEST(TrainResume, ARunOfOtherBatchesOrPicturesIsNotResumed) {
  const ScratchFolder folder;
  const SmallTraining training = HeadOnly();
  const auto differs = [&](const Running::Options& options) {
    Running other(training, options);
    const std::string text = CaughtError([&] { other.learner().Restore(folder / "state"); });
    return text.substr(text.find(": ") + 2, text.find('\n') - text.find(": ") - 2);
  };
  const Running::Options first{.drop_last = false, .pictures = {"4, sha256 aa", "2, sha256 bb"}};
  Running(training, first).learner().Save(folder / "state", "");
  Running::Options other = first;
  other.batch = 4;
  EXPECT_EQ(differs(other), "batch size was `8`, and is `4` now");
  other = first;
  other.drop_last = true;
  EXPECT_EQ(differs(other), "batch size was `8`, and is `8, without what is over in an epoch` now");
  other = first;
  other.pictures.training = "5, sha256 cc";
  EXPECT_EQ(differs(other), "pictures to train on was `4, sha256 aa`, and is `5, sha256 cc` now");
  other = first;
  other.pictures.validation = "3, sha256 dd";
  EXPECT_EQ(differs(other),
            "pictures to validate with was `2, sha256 bb`, and is `3, sha256 dd` now");
}

// What a run that is resumed with `is` says of what one that was saved with `was` is.
std::string RefusalOfOther(const SmallTraining& was, const SmallTraining& is) {
  const ScratchFolder folder;
  Running(was).learner().Save(folder / "state", "");
  Running other(is);
  const std::string text = CaughtError([&] { other.learner().Restore(folder / "state"); });
  const std::size_t begin = text.find("' ") + 2;
  return text.substr(begin, text.find('\n') - begin);
}

TEST(TrainResume, ARunOfAnotherAverageOrMonitoredFigureIsNotResumed) {
  const auto with = [](std::optional<Ema> ema, std::optional<Swa> swa) {
    SmallTraining training = HeadOnly();
    training.config->ema = ema;
    training.config->swa = swa;
    return training;
  };
  const std::string other = "is of another training: ";
  EXPECT_EQ(RefusalOfOther(with({}, {}), with(Ema{}, {})),
            other + "average of the weights was `none`, and is `ema` now");
  EXPECT_EQ(RefusalOfOther(with({}, Swa{.from = 2}), with({}, Swa{.from = 3})),
            other + "average of the weights was `swa from epoch 2`, and is `swa from epoch 3` now");
  SmallTraining by_loss = HeadOnly();
  by_loss.config->monitor = "loss";
  EXPECT_EQ(RefusalOfOther(HeadOnly(), by_loss),
            other + "monitored figure was `accuracy`, and is `loss` now");
}

// An earlier version had no averages, and did not say so.
TEST(TrainResume, ARunOfAnEarlierVersionHasNoAverage) {
  const ScratchFolder folder;
  Running(HeadOnly()).learner().Save(folder / "state", "");
  std::string bytes = FileText(folder / "state");
  const std::string said = R"([\"average of the weights\",\"none\"])";
  std::string blank = R"([\"seed\",\"7\"])";
  blank.resize(said.size(), ' ');
  const std::size_t at = bytes.find(said);
  ASSERT_NE(at, bytes.npos);
  folder.Write("state", bytes.replace(at, said.size(), blank));
  EXPECT_EQ(Running(HeadOnly()).learner().Restore(folder / "state"), "");
  SmallTraining averaged = HeadOnly();
  averaged.config->ema = Ema{};
  Running other(averaged);
  EXPECT_THAT(CaughtError([&] { other.learner().Restore(folder / "state"); }),
              testing::HasSubstr("' is of another training: average of the weights was `none`, and "
                                 "is `ema` now\n"));
}

TEST(TrainResume, APhaseKeepsNothingOfAnotherOptimizer) {
  const ScratchFolder folder;
  Running(HeadOnly()).learner().Save(folder / "ended", "");
  SmallTraining training = HeadOnly();
  training.config->optimizer = std::make_shared<Rmsprop>(Rmsprop::Params{});
  Running other(training);
  EXPECT_THAT(CaughtError([&] { other.learner().BeginPhase(folder / "ended", true); }),
              testing::HasSubstr("' is of another training: optimizer was `adam`, and is `rmsprop` "
                                 "now\n"));
  other.learner().BeginPhase(folder / "ended", false);
}

// What an optimizer keeps of a parameter that begins to learn later is as old as that is.
TEST(TrainResume, APhaseGoesOnWithWhatTheOptimizerKept) {
  const ScratchFolder folder;
  Running first(HeadOnly());
  first.Pass(Split::kTrain, 0, 24);
  first.learner().EndEpoch(0.5);
  first.learner().Save(folder / "ended", "");
  const SmallTraining more({.kind = FrozenConfig::Kind::kThrough, .through = "block_15"});

  Running reset(more);
  reset.learner().BeginPhase(folder / "ended", /*keeps_optimizer=*/false);
  TrainingPosition position = reset.learner().position();
  EXPECT_EQ(position.epoch, 1);
  EXPECT_EQ(position.step, 3u);
  EXPECT_EQ(position.phase_step, 0u);
  EXPECT_EQ(position.optimizer_step, 0u);
  EXPECT_TRUE(position.begun.empty());
  EXPECT_TRUE(position.monitored.empty());

  Running kept(more);
  kept.learner().BeginPhase(folder / "ended", /*keeps_optimizer=*/true);
  position = kept.learner().position();
  EXPECT_EQ(position.optimizer_step, 3u);
  EXPECT_EQ(position.begun.count("head.2.weight"), 0u);
  EXPECT_EQ(position.begun.at("features.18.0.weight"), 3u);
  kept.Pass(Split::kTrain, 1, 8);
  kept.learner().Save(folder / "in the middle", "");
  kept.Pass(Split::kTrain, 1, 24, 8);
  Running resumed(more);
  resumed.learner().Restore(folder / "in the middle");
  EXPECT_EQ(resumed.learner().position().begun, position.begun);
  resumed.Pass(Split::kTrain, 1, 24, 8);
  EXPECT_TRUE(resumed.State() == kept.State());
}

TEST(TrainResume, ARunOfAnotherModelIsNotResumed) {
  const ScratchFolder folder;
  Running running(HeadOnly());
  running.learner().Save(folder / "state", "");
  SmallTraining other = HeadOnly();
  other.config->optimizer = std::make_shared<Rmsprop>(Rmsprop::Params{});
  Running another(other);
  const std::vector<float> before = another.State();
  EXPECT_EQ(CaughtError([&] { another.learner().Restore(folder / "state"); }),
            "'" + (folder / "state").string() +
                "' is of another training: optimizer was `adam`, and is `rmsprop` now\n"
                "Resume with the configuration, the weights and the pictures that it was begun "
                "with, or begin anew in another folder.");
  EXPECT_TRUE(another.State() == before);
}

}  // namespace
}  // namespace weir
