// The learning rate as the stage `train` follows its schedule.
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "stages/train/schedules/cosine_schedule.h"
#include "stages/train/schedules/reduce_on_plateau.h"
#include "tests/stages/train/running_train.h"
#include "tests/stages/train/small_training.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

SmallTraining WarmedUp(std::uint64_t steps, int epochs) {
  SmallTraining training = HeadOnly();
  training.config->epochs = epochs;
  training.config->schedule =
      std::make_shared<CosineSchedule>(CosineSchedule::Params{.warm_up = WarmUp{.steps = steps}});
  return training;
}

Running::Options Of(std::uint64_t pictures, bool drop_last = false) {
  return {.drop_last = drop_last, .counts = SampleCounts{{{Split::kTrain, pictures}}}};
}

TEST(TrainSchedule, LearnsAtTheRateOfEachStep) {
  Running running(WarmedUp(2, 1), Of(24));
  std::vector<std::vector<float>> states = {running.State()};
  running.learner().after_step = [&] { states.push_back(running.State()); };
  running.Pass(Split::kTrain, 0, 24);
  ASSERT_EQ(states.size(), 4u);
  EXPECT_TRUE(states[1] == states[0]) << "the warm-up begins with a rate of 0";
  EXPECT_FALSE(states[2] == states[1]);
  EXPECT_FALSE(states[3] == states[2]);
}

TEST(TrainSchedule, CountsTheStepsOfAnEpochAsBatchDoes) {
  const auto outcome = [](std::uint64_t steps, const Running::Options& options) {
    return CaughtError([&] { Running running(WarmedUp(steps, 2), options); });
  };
  EXPECT_EQ(outcome(5, Of(20)), "nothing was thrown") << "6 steps: 8 + 8 + 4, twice";
  EXPECT_EQ(outcome(3, Of(20, true)), "nothing was thrown");
  EXPECT_EQ(outcome(4, Of(20, true)),
            "training.schedule.cosine.warm_up: 4 steps leave none of the 4 steps of the training "
            "(2 epochs of 2 steps)\nGive fewer, or train for more epochs.");
}

TEST(TrainSchedule, IsRefusedWhereTheSourceDoesNotSayEnough) {
  SmallTraining training = WarmedUp(1, 2);
  EXPECT_EQ(CaughtError([&] { Running running(training); }),
            "training.schedule.cosine: the source does not know how many pictures it has, so that "
            "nobody knows how many steps an epoch takes\n"
            "Use the schedule `constant`, or a source that lists its pictures.");
  training.config->schedule = std::make_shared<ReduceOnPlateau>(ReduceOnPlateau::Params{});
  EXPECT_EQ(CaughtError([&] { Running running(training, Of(24)); }),
            "training.schedule.reduce_on_plateau: no pictures are set aside to validate with, so "
            "that nothing is monitored\n"
            "Set `validation_split` of the source, or use another schedule.");
  EXPECT_EQ(CaughtError([&] { Running running(training, {.training = false}); }),
            "nothing was thrown")
      << "what only measures follows no schedule";
}

TEST(TrainSchedule, KeepsTheLastOfVeryManyFigures) {
  Running running(HeadOnly());
  Learner& learner = running.learner();
  for (int i = 0; i <= ScheduleClock::kMostMonitored; ++i) learner.EndEpoch(i);
  const std::vector<double> kept = learner.position().monitored;
  ASSERT_EQ(kept.size(), static_cast<std::size_t>(ScheduleClock::kMostMonitored));
  EXPECT_EQ(kept.front(), 1);
  EXPECT_EQ(kept.back(), ScheduleClock::kMostMonitored);
  EXPECT_EQ(CaughtError([&] { learner.EndEpoch(std::numeric_limits<double>::quiet_NaN()); }),
            "a monitored figure is no finite number\n");
}

}  // namespace
}  // namespace weir
