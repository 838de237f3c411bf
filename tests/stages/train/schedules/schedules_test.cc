#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "stages/train/schedules/one_cycle_schedule.h"
#include "tests/stages/train/schedules/written_schedule.h"
#include "tests/support/caught_error.h"
#include "tests/support/listed_parts.h"

namespace weir {
namespace {

constexpr double kBase = 0.25;
constexpr std::uint64_t kStepsPerEpoch = 50;
constexpr int kEpochs = 4;
constexpr std::uint64_t kSteps = kEpochs * kStepsPerEpoch;

ScheduleClock At(std::uint64_t step) {
  return {.step = step, .steps_per_epoch = kStepsPerEpoch, .epochs = kEpochs};
}

// What holds of every row of the list, the next one included.
class EverySchedule : public testing::TestWithParam<Part<Schedule>> {
 protected:
  // Its required parameters, and `more`.
  static std::string Params(const std::string& more = "") {
    const bool needs_epochs = Name() == "multi_step";
    return "{" + std::string(needs_epochs ? "at: [1, 2.5]" : "") +
           (needs_epochs && !more.empty() ? ", " : "") + more + "}";
  }
  static std::string Name() { return std::string(GetParam().names.front()); }
  static std::shared_ptr<const Schedule> Made(const std::string& more = "") {
    return Written("{" + Name() + ": " + Params(more) + "}");
  }
  // What the first step has without a warm-up.
  static double First() { return Made()->Rate(kBase, At(0)); }
};

TEST_P(EverySchedule, IsWrittenAsItIsRead) {
  for (const char* more : {"", "warm_up: {steps: 7}", "warm_up: {epochs: 0.5, from: 1/3}"}) {
    Problems problems;
    ExpectRoundTrip(GetParam(), ParseYaml(YamlSource::File("a.yaml", Params(more), "/"), problems));
    EXPECT_EQ(problems.text(), "");
  }
}

TEST_P(EverySchedule, BeginsWithTheOptimizersRateAndNeverPassesIt) {
  EXPECT_NEAR(First(), Name() == "one_cycle" ? kBase / 25 : kBase, 1e-16);
  for (const char* more : {"", "warm_up: {steps: 7}", "warm_up: {epochs: 1.5, from: 0.5}"}) {
    const auto schedule = Made(more);
    // Some steps behind the end too.
    for (std::uint64_t step = 0; step < kSteps + 10; ++step) {
      const double rate = schedule->Rate(kBase, At(step));
      EXPECT_TRUE(std::isfinite(rate)) << more << " " << step;
      EXPECT_GE(rate, 0) << more << " " << step;
      EXPECT_LE(rate, kBase) << more << " " << step;
    }
  }
}

TEST_P(EverySchedule, RisesOnALineFirstAndBeginsBehindIt) {
  for (const char* length : {"steps: 25", "epochs: 0.5"}) {
    const auto schedule = Made("warm_up: {" + std::string(length) + ", from: 0.2}");
    for (std::uint64_t step = 0; step <= 25; ++step) {
      EXPECT_NEAR(schedule->Rate(kBase, At(step)), First() * (0.2 + 0.8 * step / 25), 1e-15);
    }
  }
  EXPECT_EQ(Made("warm_up: {steps: 25}")->Rate(kBase, At(0)), 0);
}

// What is left behind a warm-up of two epochs is a training of two.
TEST_P(EverySchedule, HasTheStepsThatAWarmUpLeavesForItsOwn) {
  if (Name() == "multi_step") return;  // its epochs are named, and one is behind the end
  const auto plain = Made(), warmed = Made("warm_up: {epochs: 2}");
  for (std::uint64_t step = 0; step < 2 * kStepsPerEpoch; ++step) {
    ScheduleClock half = At(step);
    half.epochs = 2;
    EXPECT_EQ(warmed->Rate(kBase, At(2 * kStepsPerEpoch + step)), plain->Rate(kBase, half));
  }
}

TEST_P(EverySchedule, KeepsTheRateOfTheEndBehindIt) {
  const double end = Made()->Rate(kBase, At(kSteps));
  EXPECT_EQ(Made()->Rate(kBase, At(10 * kSteps)), end);
}

TEST_P(EverySchedule, FitsATrainingThatIsValidated) {
  const ScheduleLength length{
      .steps_per_epoch = kStepsPerEpoch, .epochs = kEpochs, .is_validated = true};
  Made("warm_up: {epochs: 1}")->CheckFits(kBase, length, "training.schedule");
}

INSTANTIATE_TEST_SUITE_P(List, EverySchedule, testing::ValuesIn(Schedule::All()),
                         [](const auto& info) { return std::string(info.param.names.front()); });

TEST(Schedule, IsWrittenWithEveryParameterButAWarmUpThatIsNotThere) {
  const auto written = [](const std::string& text) { return EmitFlow(Written(text)->ToYaml()); };
  EXPECT_EQ(written("constant"), "constant");
  EXPECT_EQ(written("cosine"), "{cosine: {min: 0}}");
  EXPECT_EQ(written("{constant: {warm_up: {steps: 500}}}"),
            "{constant: {warm_up: {steps: 500, epochs: ~, from: 0}}}");
  EXPECT_EQ(written("one_cycle"),
            "{one_cycle: {warm_part: 0.3, start_divisor: 25, end_divisor: 10000}}");
}

TEST(Schedule, BlamesThePlace) {
  const auto problems_of = [](const std::string& text) {
    Problems problems;
    ReadSchedule(text, problems);
    return problems.text().substr(0, problems.text().find('\n'));
  };
  EXPECT_EQ(problems_of("{multi_step: {at: [3, 9, 6]}}"),
            "a.yaml:1:19: `at` takes epochs that rise, and 6 follows on 9");
  EXPECT_EQ(problems_of("{multi_step: {at: [3, 3]}}"),
            "a.yaml:1:19: `at` takes epochs that rise, and 3 follows on 3");
  EXPECT_EQ(problems_of("{multi_step: {at: []}}"),
            "a.yaml:1:19: `at` takes one number of epochs at least");
  EXPECT_EQ(problems_of("multi_step"), "a.yaml:1:1: missing required key `at` in multi_step");
  EXPECT_EQ(problems_of("{step: {factor: 1.5}}"),
            "a.yaml:1:17: `factor` takes less than 1, not 1.5");
  EXPECT_EQ(problems_of("{exponential: {factor: 0}}"),
            "a.yaml:1:24: `factor` takes more than 0, not 0");
  EXPECT_EQ(problems_of("{cosine: {warm_up: {steps: 5, epochs: 1}}}"),
            "a.yaml:1:39: a warm-up takes `steps` or `epochs`, not both: remove one of them");
  EXPECT_EQ(problems_of("{cosine: {warm_up: {from: 0.5}}}"),
            "a.yaml:1:20: a warm-up takes `steps` or `epochs`, and neither is given");
  EXPECT_EQ(problems_of("{cosine: {warm_up: {steps: 0}}}"),
            "a.yaml:1:28: `steps` takes 1 or more, not 0");
}

TEST(Schedule, RefusesATrainingThatCannotFollowIt) {
  const auto refusal = [](const std::string& text, ScheduleLength length) {
    length.epochs = 3;
    return CaughtError([&] { Written(text)->CheckFits(0.01, length, "training.schedule"); });
  };
  const ScheduleLength known{.steps_per_epoch = 100, .is_validated = true};
  const ScheduleLength unknown{};
  const std::string nobody_knows =
      ": the source does not know how many pictures it has, so that nobody knows how many steps "
      "an epoch takes\n";
  EXPECT_EQ(refusal("cosine", unknown),
            "training.schedule.cosine" + nobody_knows +
                "Use the schedule `constant`, or a source that lists its pictures.");
  EXPECT_EQ(refusal("{constant: {warm_up: {epochs: 1}}}", unknown),
            "training.schedule.constant.warm_up.epochs" + nobody_knows +
                "Give the `steps` of the warm-up, or use a source that lists its pictures.");
  EXPECT_EQ(refusal("{constant: {warm_up: {steps: 7}}}", unknown), "nothing was thrown");
  EXPECT_EQ(refusal("{cosine: {warm_up: {steps: 300}}}", known),
            "training.schedule.cosine.warm_up: 300 steps leave none of the 300 steps of the "
            "training (3 epochs of 100 steps)\nGive fewer, or train for more epochs.");
  EXPECT_EQ(refusal("{cosine: {warm_up: {steps: 299}}}", known), "nothing was thrown");
  EXPECT_NE(refusal("{cosine: {warm_up: {steps: 100000}}}", known).find("100000 steps leave none"),
            std::string::npos);
  EXPECT_EQ(refusal("{cosine: {warm_up: {epochs: 0.004}}}", known),
            "training.schedule.cosine.warm_up: 0.004 epochs of 100 steps each make less than one "
            "step\nGive more, or leave the warm-up out.");
  EXPECT_EQ(refusal("{step: {every: 0.001}}", known),
            "training.schedule.step.every: 0.001 epochs of 100 steps each make less than one "
            "step\nGive more.");
  EXPECT_EQ(refusal("{multi_step: {at: [0.001, 1]}}", known),
            "training.schedule.multi_step.at: 0.001 epochs of 100 steps each make less than one "
            "step\nGive more.");
  EXPECT_EQ(refusal("{multi_step: {at: [1, 3]}}", known),
            "training.schedule.multi_step.at: a fall after 3 epochs, but the training ends after "
            "3 epochs\nRemove it from the list, or train for more epochs.");
  EXPECT_EQ(refusal("{multi_step: {at: [2.5], warm_up: {epochs: 1}}}", known),
            "training.schedule.multi_step.at: a fall after 2.5 epochs behind a warm-up of 100 "
            "steps, but the training ends after 3 epochs\n"
            "Remove it from the list, or train for more epochs.");
  EXPECT_EQ(refusal("{polynomial: {min: 0.02}}", known),
            "training.schedule.polynomial.min: 0.02 is more than the optimizer's learning_rate of "
            "0.01\nGive a lower one, or a higher learning_rate.");
  EXPECT_EQ(refusal("reduce_on_plateau", {.steps_per_epoch = 100}),
            "training.schedule.reduce_on_plateau: no pictures are set aside to validate with, so "
            "that nothing is monitored\n"
            "Set `validation_split` of the source, or use another schedule.");
}

TEST(ScheduleLength, CountsTheBatchesOfAnEpoch) {
  EXPECT_EQ(ScheduleLength::StepsOf(64, 32, false), 2u);
  EXPECT_EQ(ScheduleLength::StepsOf(65, 32, false), 3u);
  EXPECT_EQ(ScheduleLength::StepsOf(65, 32, true), 2u);
  EXPECT_EQ(ScheduleLength::StepsOf(31, 32, true), 0u);
}

// PyTorch divides by 0 where the rise takes one step.
TEST(OneCycleSchedule, HasAPeakInTheFirstStepAtTheLeast) {
  const OneCycleSchedule schedule({.warm_part = 0.1});
  const ScheduleClock clock{.steps_per_epoch = 10, .epochs = 1};
  EXPECT_EQ(schedule.Rate(1, clock), 1);
}

// Figures of epochs that the warm-up has a part in are not counted.
TEST(ReduceOnPlateau, BeginsBehindTheWarmUp) {
  const auto schedule =
      Written("{reduce_on_plateau: {patience: 1, factor: 0.5, warm_up: {epochs: 2}}}");
  const std::vector<double> figures = {0.9, 0.8, 0.5, 0.6, 0.6};
  ScheduleClock clock{.step = 300, .steps_per_epoch = 100, .epochs = 10};
  const auto rate_after = [&](std::size_t epochs) {
    clock.step = 100 * epochs;
    clock.monitored = std::span(figures).first(epochs);
    return schedule->Rate(1, clock);
  };
  EXPECT_EQ(rate_after(2), 1);
  EXPECT_EQ(rate_after(3), 1);
  EXPECT_EQ(rate_after(4), 1);
  EXPECT_EQ(rate_after(5), 0.5);
}

}  // namespace
}  // namespace weir
