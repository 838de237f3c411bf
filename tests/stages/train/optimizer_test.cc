#include "stages/train/optimizer.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

using Kind = OptimizerConfig::Kind;

// Five steps from {1, -0.5, 0.25} along {0.1 t, -0.02 t^2, 0.3 - 0.1 t}.
std::vector<float> FiveSteps(const OptimizerConfig& config) {
  const Optimizer optimizer(config);
  std::vector<float> values = {1, -0.5f, 0.25f};
  std::vector<std::vector<float>> slots(Optimizer::kMostSlots, std::vector<float>(3));
  for (int t = 1; t <= 5; ++t) {
    const std::vector<float> gradients = {0.1f * t, -0.02f * t * t, 0.3f - 0.1f * t};
    optimizer.Step(values, gradients, {slots[0], slots[1]}, t, config.learning_rate);
  }
  return values;
}

// Arrays as LibTorch sees them.
struct InTorch {
  explicit InTorch(const Optimizer& stepped) : optimizer(stepped) {}

  at::Tensor Run(std::vector<float>& array) {
    return at::from_blob(array.data(), {static_cast<std::int64_t>(array.size())}, at::kFloat);
  }
  void Step(std::vector<float>& values, std::vector<float> gradients,
            std::vector<std::vector<float>>& slots, int step, double rate) {
    std::vector<at::Tensor> runs;
    for (std::size_t i = 0; i < optimizer.slot_names().size(); ++i) runs.push_back(Run(slots[i]));
    optimizer.Step(Run(values), Run(gradients), runs, step, rate);
  }

  const Optimizer& optimizer;
};

struct Reference {
  const char* name;
  OptimizerConfig config;
  std::vector<float> values;
};

class OptimizerReference : public testing::TestWithParam<Reference> {};

// Both compute in float32, in another order here and there: a few units in the last place.
TEST_P(OptimizerReference, GoesWhereThePeerGoes) {
  const std::vector<float> values = FiveSteps(GetParam().config);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(values[i], GetParam().values[i], 4e-7) << i;
}

// The same ten steps by both, slots and all, to a few units in the last place.
TEST_P(OptimizerReference, InTorchItGoesWhereTheLoopsGo) {
  for (double decay : {GetParam().config.weight_decay, 0.05}) {
    OptimizerConfig config = GetParam().config;
    config.weight_decay = decay;
    const Optimizer optimizer(config);
    InTorch in_torch(optimizer);
    constexpr int kValues = 37;
    std::vector<float> a(kValues), b(kValues);
    for (int i = 0; i < kValues; ++i) a[i] = b[i] = 0.05f * static_cast<float>(i - 11);
    std::vector<std::vector<float>> a_slots(Optimizer::kMostSlots, std::vector<float>(kValues));
    std::vector<std::vector<float>> b_slots = a_slots;
    for (int t = 1; t <= 10; ++t) {
      std::vector<float> gradients(kValues);
      for (int i = 0; i < kValues; ++i) {
        gradients[i] = 0.1f * static_cast<float>((i * 7 + t * 3) % 11 - 5);
      }
      const double rate = config.learning_rate / t;
      optimizer.Step(a, gradients, {a_slots[0], a_slots[1]}, t, rate);
      in_torch.Step(b, gradients, b_slots, t, rate);
    }
    for (int i = 0; i < kValues; ++i) {
      EXPECT_NEAR(b[i], a[i], 1e-6) << i;
      for (int slot = 0; slot < Optimizer::kMostSlots; ++slot) {
        EXPECT_NEAR(b_slots[slot][i], a_slots[slot][i], 1e-6) << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Keras3, OptimizerReference,
    testing::Values(
        Reference{"adam",
                  {.kind = Kind::kAdam, .learning_rate = 0.01},
                  {0.951492667f, -0.455068767f, 0.221944168f}},
        Reference{"adamw",
                  {.kind = Kind::kAdamW, .learning_rate = 0.01, .weight_decay = 0.1},
                  {0.946600378f, -0.452666193f, 0.220781982f}},
        Reference{"sgd",
                  {.kind = Kind::kSgd, .learning_rate = 0.01},
                  {0.985000014f, -0.488999993f, 0.25f}},
        Reference{"momentum",
                  {.kind = Kind::kSgd, .learning_rate = 0.01, .momentum = 0.9},
                  {0.968296945f, -0.48047179f, 0.242270797f}},
        Reference{"nesterov",
                  {.kind = Kind::kSgd, .learning_rate = 0.01, .momentum = 0.9, .nesterov = true},
                  {0.956467271f, -0.47142458f, 0.243043721f}},
        Reference{"rmsprop",
                  {.kind = Kind::kRmsprop, .learning_rate = 0.01},
                  {0.867724001f, -0.355421185f, 0.24019435f}},
        Reference{"rmsprop_momentum",
                  {.kind = Kind::kRmsprop, .learning_rate = 0.01, .rho = 0.8, .momentum = 0.5},
                  {0.842986345f, -0.33134079f, 0.220647246f}}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    PyTorch, OptimizerReference,
    testing::Values(Reference{
        "sgd_with_decay_in_the_gradient",
        {.kind = Kind::kSgd, .learning_rate = 0.01, .momentum = 0.9, .weight_decay = 0.1},
        {0.955234408f, -0.473935902f, 0.239034861f}}),
    [](const auto& info) { return info.param.name; });

TEST(Optimizer, APartOfAnArrayGivesTheBitsOfTheWhole) {
  const Optimizer optimizer({.kind = Kind::kAdam});
  std::vector<float> values(101), gradients(101), m(101), v(101);
  for (int i = 0; i < 101; ++i) values[i] = 0.37f * i, gradients[i] = 1.0f / (i + 3);
  std::vector<float> in_parts = values, m_parts = m, v_parts = v;
  optimizer.Step(values, gradients, {m, v}, 1, 1e-3);
  for (auto [begin, count] : {std::pair{0, 17}, {17, 1}, {18, 83}}) {
    const auto part = [b = begin, n = count](std::vector<float>& of) {
      return std::span(of).subspan(b, n);
    };
    optimizer.Step(part(in_parts), part(gradients), {part(m_parts), part(v_parts)}, 1, 1e-3);
  }
  EXPECT_EQ(in_parts, values);
}

TEST(Optimizer, RefusesWhatIsOutOfRange) {
  EXPECT_EQ(CaughtError([] { Optimizer({.kind = Kind::kSgd, .momentum = 1}); }),
            "training.optimizer: momentum is out of range\n"
            "Give it a number from 0 up, below 1.");
}

// torch.optim.lr_scheduler.CosineAnnealingLR(T_max=4) from 0.1.
TEST(LearningRate, FollowsACosineByEpoch) {
  const TrainingConfig config{
      .epochs = 4, .optimizer = {.learning_rate = 0.1}, .schedule = Schedule::kCosine};
  EXPECT_NEAR(LearningRate(config, 0), 0.1, 1e-12);
  EXPECT_NEAR(LearningRate(config, 1), 0.08535533905932738, 1e-12);
  EXPECT_NEAR(LearningRate(config, 3), 0.014644660940672627, 1e-12);
}

}  // namespace
}  // namespace weir
