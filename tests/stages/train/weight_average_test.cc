// Averages of the weights: what they are after some steps, and that they go on as if nothing had
// been stopped.
#include "stages/train/weight_average.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "stages/train/optimizers/sgd.h"
#include "stages/train/trainable_model.h"
#include "tests/stages/train/running_train.h"
#include "tests/stages/train/small_training.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

// TensorFlow's ExponentialMovingAverage: min(decay, (1 + n) / (10 + n)).
TEST(Ema, ForgetsTheBeginningSoonInItsWarmUp) {
  const Ema ema{.decay = 0.9};
  EXPECT_DOUBLE_EQ(ema.Share(1), 1 - 2.0 / 11);
  EXPECT_DOUBLE_EQ(ema.Share(10), 1 - 11.0 / 20);
  EXPECT_DOUBLE_EQ(ema.Share(1000), 1 - 0.9);
  EXPECT_DOUBLE_EQ((Ema{.decay = 0.9, .warm_up = false}.Share(1)), 1 - 0.9);
}

TEST(Swa, CountsTheEpochsFromItsFirst) {
  const Swa swa{.from = 3};
  EXPECT_EQ(swa.Count(2), 0);
  EXPECT_EQ(swa.Count(3), 1);
  EXPECT_EQ(swa.Count(7), 5);
}

std::vector<float> AverageOf(Running& running) {
  running.learner().ExchangeAverage();
  std::vector<float> average = running.State();
  running.learner().ExchangeAverage();
  return average;
}

// By float64, from the weights after each step.
TEST(Ema, IsTheMeanOfTheWeightsThatItFollows) {
  SmallTraining training = PartlyFrozen();
  training.config->ema = Ema{.decay = 0.75, .warm_up = false};
  training.config->optimizer = std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.1});
  Running running(training);
  const std::vector<float> begin = running.State();
  std::vector<double> expected(begin.begin(), begin.end());
  EXPECT_FALSE(running.learner().has_average());
  running.learner().after_step = [&] {
    const std::vector<float> now = running.State();
    for (std::size_t i = 0; i < now.size(); ++i) {
      expected[i] = 0.75 * expected[i] + 0.25 * now[i];
    }
  };
  running.Pass(Split::kTrain, 0, 24);
  running.learner().after_step = {};
  ASSERT_TRUE(running.learner().has_average());
  const std::vector<float> raw = running.State();
  const std::vector<float> average = AverageOf(running);
  EXPECT_TRUE(running.State() == raw) << "both are back in their places";
  EXPECT_FALSE(average == raw);
  double largest = 0;
  for (std::size_t i = 0; i < average.size(); ++i) {
    largest = std::max(largest, std::abs(average[i] - expected[i]));
  }
  EXPECT_LT(largest, 1e-6);  // float32 beside float64, over three steps
}

TEST(Swa, IsTheMeanOfTheEndsOfItsEpochs) {
  SmallTraining training = PartlyFrozen();
  training.config->epochs = 4;
  training.config->swa = Swa{.from = 2};
  Running running(training);
  std::vector<double> sum;
  for (int epoch = 0; epoch < 4; ++epoch) {
    running.Pass(Split::kTrain, epoch, 16);
    running.learner().AverageEpoch();
    running.learner().AverageEpoch();  // a second time is none
    EXPECT_EQ(running.learner().has_average(), epoch >= 1);
    const std::vector<float> now = running.State();
    sum.resize(now.size());
    for (std::size_t i = 0; epoch >= 1 && i < now.size(); ++i) sum[i] += now[i];
    running.learner().EndEpoch(std::nullopt);
  }
  const std::vector<float> average = AverageOf(running);
  double largest = 0;
  for (std::size_t i = 0; i < average.size(); ++i) {
    largest = std::max(largest, std::abs(average[i] - sum[i] / 3));
  }
  EXPECT_LT(largest, 1e-6);
}

TEST(WeightAverage, ResumedItIsAsIfItHadNeverStopped) {
  const ScratchFolder folder;
  for (const bool is_ema : {true, false}) {
    SmallTraining training = PartlyFrozen();
    training.config->epochs = 3;
    if (is_ema) training.config->ema = Ema{.decay = 0.9};
    if (!is_ema) training.config->swa = Swa{.from = 1};
    Running whole(training);
    int steps = 0;
    whole.learner().after_step = [&] {
      if (++steps == 5) whole.learner().Save(folder / "at step 5", "");
    };
    const auto learn = [](Running& running, int epoch, int first) {
      running.Pass(Split::kTrain, epoch, 24, first);
      running.learner().AverageEpoch();
      running.learner().EndEpoch(std::nullopt);
    };
    for (int epoch = 0; epoch < 3; ++epoch) learn(whole, epoch, 0);
    whole.learner().Save(folder / "whole", "");
    Running resumed(training);
    resumed.learner().Restore(folder / "at step 5");
    learn(resumed, 1, 16);
    learn(resumed, 2, 0);
    resumed.learner().Save(folder / "resumed", "");
    EXPECT_TRUE(FileText(folder / "resumed") == FileText(folder / "whole")) << is_ema;
    EXPECT_TRUE(AverageOf(resumed) == AverageOf(whole)) << is_ema;
  }
}

TEST(WeightAverage, IsInTheBill) {
  const auto held = [](const SmallTraining& training) {
    return Running(training).footprint().held_bytes();
  };
  SmallTraining training = HeadOnly();
  const std::size_t without = held(training);
  training.config->ema = Ema{};
  EXPECT_EQ(held(training) - without, TrainableModel::AverageBytes(*training.MakeModel()));
}

}  // namespace
}  // namespace weir
