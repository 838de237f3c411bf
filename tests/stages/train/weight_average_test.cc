// Averages of the weights: what they are after some steps, and that they go on as if nothing had
// been stopped.
#include "stages/train/weight_average.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "stages/train/optimizers/sgd.h"
#include "stages/train/trainable_model.h"
#include "tests/stages/device/processor_device.h"
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

Running::Options On(bool device) {
  Running::Options options;
  if (device) options.device = std::make_shared<ProcessorDevice>();
  return options;
}

// Each average, here and on a device.
struct Averaged {
  bool is_ema = true;
  bool on_device = false;
};
constexpr std::array<Averaged, 4> kAveraged{
    {{true, false}, {false, false}, {true, true}, {false, true}}};

SmallTraining TrainingOf(const Averaged& averaged) {
  SmallTraining training = PartlyFrozen();
  training.config->epochs = 3;
  if (averaged.is_ema) training.config->ema = Ema{.decay = 0.9};
  if (!averaged.is_ema) training.config->swa = Swa{.from = 1};
  return training;
}

TEST(WeightAverage, ResumedItIsAsIfItHadNeverStopped) {
  const ScratchFolder folder;
  for (const Averaged& averaged : kAveraged) {
    SCOPED_TRACE(testing::Message()
                 << "ema " << averaged.is_ema << " device " << averaged.on_device);
    const SmallTraining training = TrainingOf(averaged);
    Running whole(training, On(averaged.on_device));
    int steps = 0;
    whole.learner().after_step = [&] {
      if (++steps == 5) whole.learner().Save(folder / "at step 5", "");
    };
    const auto end = [](Running& running) {
      running.learner().AverageEpoch();
      running.learner().EndEpoch(std::nullopt);
    };
    for (int epoch = 0; epoch < 3; ++epoch) {
      whole.Pass(Split::kTrain, epoch, 24);
      if (epoch == 1) {
        whole.learner().AverageEpoch();
        whole.learner().Save(folder / "averaged", "");
      }
      end(whole);
    }
    whole.learner().Save(folder / "whole", "");
    const auto expect_as_whole = [&](Running& resumed) {
      resumed.Pass(Split::kTrain, 2, 24);
      end(resumed);
      resumed.learner().Save(folder / "resumed", "");
      EXPECT_TRUE(FileText(folder / "resumed") == FileText(folder / "whole"));
      EXPECT_TRUE(AverageOf(resumed) == AverageOf(whole));
    };
    Running in_the_epoch(training, On(averaged.on_device));
    in_the_epoch.learner().Restore(folder / "at step 5");
    in_the_epoch.Pass(Split::kTrain, 1, 24, 16);
    end(in_the_epoch);
    expect_as_whole(in_the_epoch);
    Running behind_it(training, On(averaged.on_device));
    behind_it.learner().Restore(folder / "averaged");
    end(behind_it);
    expect_as_whole(behind_it);
  }
}

TEST(WeightAverage, IsExchangedOnADevice) {
  for (const bool is_ema : {true, false}) {
    Running running(TrainingOf({is_ema, true}), On(true));
    running.Pass(Split::kTrain, 0, 24);
    running.learner().AverageEpoch();
    ASSERT_TRUE(running.learner().has_average());
    const std::vector<float> raw = running.State();
    const std::vector<float> average = AverageOf(running);
    EXPECT_TRUE(running.State() == raw);
    EXPECT_EQ(average == raw, !is_ema) << "the mean of one epoch is that epoch";
  }
}

TEST(WeightAverage, IsInTheBill) {
  for (const bool on_device : {false, true}) {
    const auto held = [&](const SmallTraining& training) {
      Running running(training, On(on_device));
      EXPECT_LE(running.budget().usage().peak_bytes,
                running.footprint().held_bytes() +
                    (running.footprint().lever ? running.footprint().lever->bytes_each : 0));
      return running.footprint().held_bytes();
    };
    SmallTraining training = HeadOnly();
    const std::size_t without = held(training);
    training.config->ema = Ema{};
    EXPECT_EQ(held(training) - without, TrainableModel::AverageBytes(*training.MakeModel()));
  }
}

}  // namespace
}  // namespace weir
