// Every optimizer at work in a training, with the options that all have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/yaml_reader.h"
#include "stages/train/optimizers/adagrad.h"
#include "stages/train/optimizers/sgd.h"
#include "tests/stages/device/processor_device.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

class TrainWithOptimizer : public testing::TestWithParam<Part<Optimizer>> {
 protected:
  // One with nearly every option set.
  static SmallTraining Training() {
    SmallTraining training = PartlyFrozen();
    Problems problems;
    training.config->optimizer = GetParam().read(
        ParseYaml(YamlSource::File("a.yaml",
                                   "{learning_rate: 0.005, weight_decay: 0.1, clip_norm: 0.5, "
                                   "no_decay: norms_and_biases, layer_decay: 0.7, groups: "
                                   "[{parameters: 'head.*', learning_rate: 0.01}]}",
                                   "/"),
                  problems),
        problems);
    EXPECT_EQ(problems.text(), "");
    return training;
  }
};

TEST_P(TrainWithOptimizer, ResumedItIsAsIfItHadNeverStopped) {
  const ScratchFolder folder;
  const SmallTraining training = Training();
  Running whole(training);
  int steps = 0;
  whole.learner().after_step = [&] {
    if (++steps == 2) whole.learner().Save(folder / "at step 2", "");
  };
  whole.Pass(Split::kTrain, 0, 32);
  whole.learner().Save(folder / "whole", "");

  Running resumed(training);
  resumed.learner().Restore(folder / "at step 2");
  resumed.Pass(Split::kTrain, 0, 32, 16);
  resumed.learner().Save(folder / "resumed", "");
  EXPECT_TRUE(FileText(folder / "resumed") == FileText(folder / "whole"));
}

TEST_P(TrainWithOptimizer, TheBitsDependNeitherOnThreadsNorOnHowManyMicroBatchesAreInFlight) {
  const SmallTraining training = Training();
  const auto learnt = [&](int threads, int in_flight) {
    std::vector<float> state;
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
    tbb::task_arena(threads).execute([&] {
      Running running(training, {.in_flight = in_flight});
      running.Pass(Split::kTrain, 0, 16);
      state = running.State();
    });
    return state;
  };
  EXPECT_TRUE(learnt(1, 1) == learnt(4, 3));
}

INSTANTIATE_TEST_SUITE_P(List, TrainWithOptimizer, testing::ValuesIn(Optimizer::All()),
                         [](const auto& info) { return std::string(info.param.names.front()); });

ParameterGroup Group(const std::string& pattern, double rate) {
  return {.parameters = {{pattern}}, .learning_rate = rate};
}

TEST(TrainInGroups, MovesEachGroupAtItsOwnRate) {
  SmallTraining training = PartlyFrozen();
  const auto moved = [&](const OptimizerOptions& options) {
    training.config->optimizer =
        std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.01, .options = options});
    Running running(training);
    std::vector<float> before = running.State();
    running.Pass(Split::kTrain, 0, 8);  // one step
    std::vector<float> after = running.State();
    for (std::size_t i = 0; i < after.size(); ++i) after[i] -= before[i];
    return after;
  };
  const std::vector<float> plain = moved({});
  const std::vector<float> twice = moved({.groups = {Group("*", 0.02)}});
  const std::vector<float> head = moved({.groups = {Group("head.*", 0.02)}});
  const std::size_t values = plain.size(), of_head = 6 * 1280 + 6 + 3 * 6 + 3;
  ASSERT_GT(values, of_head);
  // The values have float32's rounding, of 6e-8 at 1, before and after.
  for (std::size_t i = 0; i < values; ++i) {
    ASSERT_NEAR(twice[i], 2 * plain[i], 2e-6) << i;
    ASSERT_NEAR(head[i], (i >= values - of_head ? 2 : 1) * plain[i], 2e-6) << i;
  }
  double largest = 0;
  for (const float value : plain) largest = std::max(largest, std::abs(double{value}));
  EXPECT_GT(largest, 1e-3);  // beside which 2e-6 is little
}

// Both begin with squares above zero, or the first step of each would be as long as the rate.
TEST(TrainWithAdagrad, BeginsWithItsAccumulator) {
  SmallTraining training = HeadOnly();
  const auto first_step = [&](double initial, bool on_device) {
    training.config->optimizer = std::make_shared<Adagrad>(
        Adagrad::Params{.learning_rate = 0.01, .initial_accumulator_value = initial});
    Running::Options options;
    if (on_device) options.device = std::make_shared<ProcessorDevice>();
    Running running(training, options);
    const std::vector<float> before = running.State();
    running.Pass(Split::kTrain, 0, 8);
    const std::vector<float> after = running.State();
    double largest = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
      largest = std::max(largest, std::abs(double{after[i]} - before[i]));
    }
    return largest;
  };
  for (const bool on_device : {false, true}) {
    EXPECT_NEAR(first_step(0, on_device), 0.01, 1e-4);
    EXPECT_LT(first_step(1e4, on_device), 1e-3);
  }
}

// Plain descent for the reason given in train_device_test.cc.
TEST(TrainOnDevice, FollowsTheOptionsOfTheOptimizerAsTheHostDoes) {
  SmallTraining training = PartlyFrozen();
  for (const WeightDecayIn in : {WeightDecayIn::kStep, WeightDecayIn::kLoss}) {
    training.config->optimizer =
        std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.02,
                                          .momentum = 0.9,
                                          .options = {.weight_decay = 0.5,
                                                      .weight_decay_in = in,
                                                      .no_decay = NoDecay::kNormsAndBiases,
                                                      .layer_decay = 0.5,
                                                      .clip_norm = 0.1,
                                                      .groups = {Group("head.*", 0.1)}}});
    Running host(training);
    Running device(training, {.device = std::make_shared<ProcessorDevice>()});
    host.Pass(Split::kTrain, 0, 16);
    device.Pass(Split::kTrain, 0, 16);
    const std::vector<float> ours = host.State(), theirs = device.State();
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      ASSERT_NEAR(theirs[i], ours[i], 1e-5 + 1e-5 * std::abs(ours[i])) << i;
    }
  }
}

}  // namespace
}  // namespace weir
