#include "stages/train/optimizers/optimizer_step.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/lamb.h"
#include "stages/train/optimizers/on_device/optimizer_step_on_device.h"
#include "stages/train/optimizers/sgd.h"

namespace weir {
namespace {

using Floats = std::vector<float>;

at::Tensor TensorOf(Floats& run) {
  return at::from_blob(run.data(), {static_cast<std::int64_t>(run.size())}, at::kFloat);
}

// The values after a step of plain descent at the rate of 1, by the loops and by LibTorch.
std::array<Floats, 2> Descended(const OptimizerOptions& options, const std::vector<StepSpan>& spans,
                                const Floats& values, const Floats& gradients, double rate = 1) {
  const c10::InferenceMode inference;
  const Sgd optimizer({.learning_rate = 1, .options = options});
  const OptimizerStep step(optimizer, spans);
  std::array<Floats, 2> after = {values, values};
  Floats first = gradients, second = gradients;
  step.Apply(after[0], first, {}, 1, rate);
  ApplyOnDevice(step, {TensorOf(after[1]), TensorOf(second), {}}, 1, rate);
  return after;
}

TEST(OptimizerStep, GivesEachSpanItsRateAndItsWeightDecay) {
  const std::vector<StepSpan> spans = {{0, 2, 1, 0}, {2, 1, 0.5, 0.25}, {3, 1, 2, 0}};
  for (const Floats& after : Descended({}, spans, {8, 8, 8, 8}, {1, 2, 4, 4})) {
    EXPECT_EQ(after, (Floats{7, 6, 8 * (1 - 0.25f * 0.5f) - 4 * 0.5f, 0}));
  }
}

TEST(OptimizerStep, AddsWeightDecayToTheGradientWhereItIsInTheLoss) {
  const std::vector<StepSpan> spans = {{0, 1, 1, 0}, {1, 1, 0.5, 0.25}};
  const OptimizerOptions options{.weight_decay_in = WeightDecayIn::kLoss};
  for (const Floats& after : Descended(options, spans, {8, 8}, {1, 4})) {
    EXPECT_EQ(after, (Floats{7, 8 - (4 + 0.25f * 8) * 0.5f}));
  }
}

// The norm of [3, 4, 12] is 13.
TEST(OptimizerStep, ScalesGradientsDownToTheNormOfAllTogether) {
  const std::vector<StepSpan> spans = {{0, 1, 1, 0}, {1, 2, 1, 0}};
  for (const Floats& after : Descended({.clip_norm = 6.5}, spans, {0, 0, 0}, {3, -4, 12})) {
    EXPECT_EQ(after, (Floats{-1.5f, 2, -6}));
  }
  for (const Floats& after : Descended({.clip_norm = 13}, spans, {0, 0, 0}, {3, -4, 12})) {
    EXPECT_EQ(after, (Floats{-3, 4, -12}));
  }
}

TEST(OptimizerStep, LimitsEachElementOfTheGradients) {
  for (const Floats& after :
       Descended({.clip_value = 3.5}, {{0, 3, 1, 0}}, {0, 0, 0}, {3, -4, 12})) {
    EXPECT_EQ(after, (Floats{-3, 3.5f, -3.5f}));
  }
}

// Limits the gradient and then adds the decay, as clip_grad_norm_ before a step of PyTorch's does.
TEST(OptimizerStep, LimitsTheGradientBeforeWeightDecayIsAdded) {
  const OptimizerOptions options{.weight_decay_in = WeightDecayIn::kLoss, .clip_value = 1};
  for (const Floats& after : Descended(options, {{0, 1, 1, 0.5}}, {8}, {100})) {
    EXPECT_EQ(after, Floats{8 - (1 + 4)});
  }
}

// Nothing hides that a training has gone astray.
TEST(OptimizerStep, HandsOnWhatIsNoNumber) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    for (const Floats& after : Descended({.clip_norm = 1}, {{0, 2, 1, 0}}, {1, 1}, {bad, 1})) {
      EXPECT_TRUE(std::isnan(after[0]) && std::isnan(after[1]));
    }
  }
  const float not_a_number = std::numeric_limits<float>::quiet_NaN();
  for (const Floats& after : Descended({.clip_value = 1}, {{0, 1, 1, 0}}, {1}, {not_a_number})) {
    EXPECT_TRUE(std::isnan(after[0]));
  }
}

Floats Drawn(std::size_t count, int of) {
  Floats run(count);
  for (std::size_t i = 0; i < count; ++i) {
    run[i] = std::sin(static_cast<float>(i * 7 + static_cast<std::size_t>(of)));
  }
  return run;
}

// After three steps in an arena of so many threads.
Floats Stepped(const Optimizer& optimizer, const std::vector<StepSpan>& spans, std::size_t count,
               int threads) {
  Floats values = Drawn(count, 1);
  std::vector<Floats> slots(optimizer.slot_names().size(), Floats(count));
  const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena(threads).execute([&] {
    const OptimizerStep step(optimizer, spans);
    for (int t = 1; t <= 3; ++t) {
      Floats gradients = Drawn(count, t + 1);
      const std::vector<std::span<float>> runs(slots.begin(), slots.end());
      step.Apply(values, gradients, runs, t, 0.01);
    }
  });
  return values;
}

TEST(OptimizerStep, HasTheSameBitsForAnyNumberOfThreads) {
  constexpr std::size_t kCount = 1'000'003;
  const std::vector<StepSpan> spans = {
      {0, 300'000, 1, 0.1}, {300'000, 16, 0.5, 0}, {300'016, kCount - 300'016, 1, 0.1}};
  const AdamW adamw({.options = {.clip_norm = 1}});
  EXPECT_TRUE(Stepped(adamw, spans, kCount, 1) == Stepped(adamw, spans, kCount, 4));
  const Lamb lamb({.options = {.clip_norm = 1}});
  EXPECT_TRUE(Stepped(lamb, spans, kCount, 1) == Stepped(lamb, spans, kCount, 4));
}

// Where spans end changes nothing for values that are treated alike.
TEST(OptimizerStep, HasTheSameBitsHoweverTheRunIsCut) {
  constexpr std::size_t kCount = 200'001;
  const AdamW optimizer({});
  EXPECT_TRUE(Stepped(optimizer, {{0, kCount, 1, 0.1}}, kCount, 1) ==
              Stepped(optimizer, {{0, 77, 1, 0.1}, {77, kCount - 77, 1, 0.1}}, kCount, 1));
}

}  // namespace
}  // namespace weir
