#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "framework/config/yaml_emitter.h"
#include "framework/config/yaml_reader.h"
#include "stages/train/optimizers/adagrad.h"
#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/lion.h"
#include "stages/train/optimizers/nadam.h"
#include "stages/train/optimizers/on_device/optimizer_step_on_device.h"
#include "stages/train/optimizers/optimizer_step.h"
#include "stages/train/optimizers/rmsprop.h"
#include "stages/train/optimizers/sgd.h"
#include "tests/support/caught_error.h"
#include "tests/support/listed_parts.h"

namespace weir {
namespace {

using Arrays = std::vector<std::vector<float>>;

// The slots of `optimizer` for `count` values, as they start.
Arrays SlotsOf(const Optimizer& optimizer, std::size_t count) {
  return Arrays(optimizer.slot_names().size(),
                std::vector<float>(count, static_cast<float>(optimizer.slot_start())));
}

// An array that is one parameter, with the options of the optimizer.
OptimizerStep StepOf(const Optimizer& optimizer, std::size_t count) {
  return {optimizer, {{.count = count, .weight_decay = optimizer.options().weight_decay}}};
}

void Step(const Optimizer& optimizer, std::vector<float>& values, std::vector<float> gradients,
          Arrays& slots, int step, double rate) {
  const std::vector<std::span<float>> spans(slots.begin(), slots.end());
  StepOf(optimizer, values.size()).Apply(values, gradients, spans, step, rate);
}

at::Tensor Run(std::vector<float>& array) {
  return at::from_blob(array.data(), {static_cast<std::int64_t>(array.size())}, at::kFloat);
}

// The same by LibTorch.
void StepInTorch(const Optimizer& optimizer, std::vector<float>& values,
                 std::vector<float> gradients, Arrays& slots, int step, double rate) {
  const c10::InferenceMode inference;
  std::vector<at::Tensor> runs;
  for (std::vector<float>& slot : slots) runs.push_back(Run(slot));
  ApplyOnDevice(StepOf(optimizer, values.size()), {Run(values), Run(gradients), runs}, step, rate);
}

// The same ten steps by both, slots and all, to a few units in the last place.
void ExpectTheSameInTorch(const Optimizer& optimizer) {
  constexpr int kValues = 37;
  std::vector<float> a(kValues), b(kValues);
  for (int i = 0; i < kValues; ++i) a[i] = b[i] = 0.05f * static_cast<float>(i - 11);
  Arrays a_slots = SlotsOf(optimizer, kValues), b_slots = a_slots;
  for (int t = 1; t <= 10; ++t) {
    std::vector<float> gradients(kValues);
    for (int i = 0; i < kValues; ++i) {
      gradients[i] = 0.1f * static_cast<float>((i * 7 + t * 3) % 11 - 5);
    }
    const double rate = optimizer.learning_rate() / t;
    Step(optimizer, a, gradients, a_slots, t, rate);
    StepInTorch(optimizer, b, gradients, b_slots, t, rate);
  }
  for (int i = 0; i < kValues; ++i) {
    EXPECT_NEAR(b[i], a[i], 1e-6) << i;
    for (std::size_t slot = 0; slot < a_slots.size(); ++slot) {
      EXPECT_NEAR(b_slots[slot][i], a_slots[slot][i], 1e-6) << i;
    }
  }
}

// A step of the parts of an array gives the bits of one of the whole.
void ExpectTheSameInParts(const Optimizer& optimizer) {
  std::vector<float> values(101), gradients(101);
  for (int i = 0; i < 101; ++i) values[i] = 0.37f * i, gradients[i] = 1.0f / (i + 3);
  std::vector<float> in_parts = values;
  Arrays slots = SlotsOf(optimizer, values.size()), slots_in_parts = slots;
  const std::vector<std::span<float>> whole(slots.begin(), slots.end());
  optimizer.Step(values, gradients, whole, 1, 1e-3);
  for (auto [begin, count] : {std::pair{0, 17}, {17, 1}, {18, 83}}) {
    std::vector<std::span<float>> spans;
    for (std::vector<float>& slot : slots_in_parts) {
      spans.push_back(std::span(slot).subspan(begin, count));
    }
    optimizer.Step(std::span(in_parts).subspan(begin, count),
                   std::span(gradients).subspan(begin, count), spans, 1, 1e-3);
  }
  EXPECT_EQ(in_parts, values);
  EXPECT_EQ(slots_in_parts, slots);
}

YamlNode Read(const std::string& text) {
  Problems problems;
  const YamlNode node = ParseYaml(YamlSource::File("a.yaml", text, "/"), problems);
  EXPECT_EQ(problems.text(), "");
  return node;
}

// What holds of every row of the list, the next one included: with its defaults, and with each of
// the numbers that change the way of a step, where it has them.
class EveryOptimizer : public testing::TestWithParam<Part<Optimizer>> {
 protected:
  static std::shared_ptr<const Optimizer> ReadOf(const std::string& text) {
    Problems problems;
    return GetParam().read(Read(text), problems);
  }

  // The first of them, without its place.
  static std::string ProblemsOf(const std::string& text) {
    Problems problems;
    GetParam().read(Read(text), problems);
    const std::string all = problems.text();
    const std::size_t begin = all.find(": ") + 2;
    return all.empty() ? "" : all.substr(begin, all.find('\n') - begin);
  }

  static std::vector<std::shared_ptr<const Optimizer>> Variants() {
    std::vector<std::shared_ptr<const Optimizer>> variants = {MadeOfDefaults(GetParam())};
    const YamlNode defaults = variants.front()->ToYaml().entries().front().value;
    YamlNode changed = defaults;
    const auto change = [&](const char* key, const char* value) {
      if (!defaults.Find(key)) return;
      changed = changed.With({key, YamlNode::Scalar(value)});
      Problems problems;
      variants.push_back(GetParam().read(changed, problems));
      EXPECT_EQ(problems.text(), "");
    };
    change("weight_decay", "0.05");
    change("weight_decay_in", "loss");
    change("momentum", "0.5");
    change("nesterov", "true");
    change("clip_value", "0.3");
    changed = changed.Without("clip_value");
    change("clip_norm", "0.7");
    return variants;
  }
};

TEST_P(EveryOptimizer, IsWrittenAsItIsRead) {
  ExpectRoundTrip(GetParam());
  ExpectRoundTrip(GetParam(), Read("{learning_rate: 0.5, weight_decay: 0.1, weight_decay_in: loss, "
                                   "no_decay: norms_and_biases, layer_decay: 0.7, clip_norm: 1, "
                                   "groups: [{parameters: 'head.*', learning_rate: 0.01}, "
                                   "{parameters: [block_1, '*bias'], weight_decay: 0}]}"));
  ExpectRoundTrip(GetParam(), Read("{clip_value: 0.5}"));
}

TEST_P(EveryOptimizer, RefusesOptionsThatAreOutOfRange) {
  EXPECT_EQ(ProblemsOf("{layer_decay: 0}"), "`layer_decay` takes more than 0, not 0");
  EXPECT_EQ(ProblemsOf("{layer_decay: 1.1}"), "`layer_decay` takes 0 to 1, not 1.1");
  EXPECT_EQ(ProblemsOf("{weight_decay: -1}"), "`weight_decay` takes 0 or more, not -1");
  EXPECT_EQ(ProblemsOf("{weight_decay: .inf}"), "`weight_decay` takes a number, not `.inf`");
  EXPECT_EQ(ProblemsOf("{clip_norm: 0}"), "`clip_norm` takes more than 0, not 0");
  EXPECT_EQ(ProblemsOf("{clip_norm: 1, clip_value: 1}"),
            "`clip_value` and `clip_norm` exclude each other: leave one out");
  EXPECT_EQ(ProblemsOf("{clip_value: 1e-50}"),
            "`clip_value` takes a number that float32 can hold, from 1.2e-38 to 3.4e+38, not "
            "1e-50");
  EXPECT_EQ(ProblemsOf("{weight_decay_in: gradient}"),
            "`weight_decay_in` takes step or loss, not `gradient`");
  EXPECT_EQ(ProblemsOf("{no_decay: biases}"),
            "`no_decay` takes nothing or norms_and_biases, not `biases`");
  EXPECT_EQ(ProblemsOf("{learning_rate: 0.5, weight_decay: 4}"),
            "`weight_decay` takes less than 2 at a learning rate of 0.5, not 4: a step would take "
            "off all of the weights");
  EXPECT_EQ(ProblemsOf("{groups: [{parameters: head, learning_rate: 0.5, weight_decay: 2}]}"),
            "`groups[0].weight_decay` takes less than 2 at a learning rate of 0.5, not 2: a step "
            "would take off all of the weights");
  EXPECT_EQ(ProblemsOf("{learning_rate: 0.5, weight_decay: 4, weight_decay_in: loss}"), "");
  EXPECT_EQ(ProblemsOf("{groups: [{parameters: head}]}"),
            "a group takes a `learning_rate`, a `weight_decay`, or both");
  EXPECT_EQ(ProblemsOf("{groups: [{learning_rate: 0.1}]}"),
            "missing required key `parameters` in groups[0]");
  EXPECT_EQ(ProblemsOf("{groups: [{parameters: [], learning_rate: 0.1}]}"),
            "`parameters` takes a pattern or a list of patterns, not a list");
  EXPECT_EQ(ProblemsOf("{groups: [{parameters: head, learning_rate: 0}]}"),
            "`learning_rate` takes more than 0, not 0");
}

TEST_P(EveryOptimizer, DocumentsTheOptions) {
  std::string names;
  for (const FieldDoc& field : GetParam().describe().nested) names += field.name + " ";
  EXPECT_TRUE(
      names.ends_with(" weight_decay weight_decay_in no_decay layer_decay clip_norm "
                      "clip_value groups "))
      << names;
}

// Nothing is touched where no option asks for it, not even by a multiplication with 1.
TEST_P(EveryOptimizer, IsTheStepAloneWhereNoOptionIsSet) {
  const auto optimizer = ReadOf("{weight_decay: 0}");
  ASSERT_NE(optimizer, nullptr);
  std::vector<float> values = {1, -0.5f, 0.25f}, gradients = {0.3f, -2, 0};
  std::vector<float> alone = values;
  Arrays slots = SlotsOf(*optimizer, 3), slots_alone = slots;
  Step(*optimizer, values, gradients, slots, 1, 0.1);
  const std::vector<std::span<float>> spans(slots_alone.begin(), slots_alone.end());
  optimizer->Step(alone, gradients, spans, 1, 0.1);
  EXPECT_EQ(values, alone);
  EXPECT_EQ(slots, slots_alone);
}

TEST_P(EveryOptimizer, InTorchItGoesWhereTheLoopsGo) {
  for (const auto& optimizer : Variants()) {
    SCOPED_TRACE(EmitYaml(optimizer->ToYaml()));
    ExpectTheSameInTorch(*optimizer);
  }
}

TEST_P(EveryOptimizer, APartOfAnArrayGivesTheBitsOfTheWhole) {
  if (MadeOfDefaults(GetParam())->needs_whole_parameters()) {
    GTEST_SKIP() << "the norm of a whole parameter decides the step";
  }
  for (const auto& optimizer : Variants()) ExpectTheSameInParts(*optimizer);
}

// A checkpoint is told apart by the declaration alone: other slots, another declaration.
TEST_P(EveryOptimizer, IsDeclaredByItsNameAndItsSlots) {
  for (const auto& a : Variants()) {
    EXPECT_TRUE(a->declaration().starts_with(GetParam().names.front()));
    for (const auto& b : Variants()) {
      EXPECT_EQ(a->declaration() == b->declaration(), a->slot_names() == b->slot_names());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(List, EveryOptimizer, testing::ValuesIn(Optimizer::All()),
                         [](const auto& info) { return std::string(info.param.names.front()); });

template <class Made>
std::shared_ptr<const Optimizer> Of(const typename Made::Params& params) {
  return std::make_shared<const Made>(params);
}

struct Reference {
  const char* name;
  std::shared_ptr<const Optimizer> optimizer;
  std::vector<float> values;
};

class OptimizerReference : public testing::TestWithParam<Reference> {};

// Five steps from {1, -0.5, 0.25} along {0.1 t, -0.02 t^2, 0.3 - 0.1 t}. Both compute in float32,
// in another order here and there: a few units in the last place.
TEST_P(OptimizerReference, GoesWhereThePeerGoes) {
  const Optimizer& optimizer = *GetParam().optimizer;
  std::vector<float> values = {1, -0.5f, 0.25f};
  Arrays slots = SlotsOf(optimizer, values.size());
  for (int t = 1; t <= 5; ++t) {
    Step(optimizer, values, {0.1f * t, -0.02f * t * t, 0.3f - 0.1f * t}, slots, t,
         optimizer.learning_rate());
  }
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(values[i], GetParam().values[i], 4e-7) << i;
}

TEST_P(OptimizerReference, InTorchItGoesWhereTheLoopsGo) {
  ExpectTheSameInTorch(*GetParam().optimizer);
}

INSTANTIATE_TEST_SUITE_P(
    Keras3, OptimizerReference,
    testing::Values(
        Reference{
            "adam", Of<Adam>({.learning_rate = 0.01}), {0.951492667f, -0.455068767f, 0.221944168f}},
        Reference{"adamw",
                  Of<AdamW>({.learning_rate = 0.01, .options = {.weight_decay = 0.1}}),
                  {0.946600378f, -0.452666193f, 0.220781982f}},
        Reference{"sgd", Of<Sgd>({.learning_rate = 0.01}), {0.985000014f, -0.488999993f, 0.25f}},
        Reference{"momentum",
                  Of<Sgd>({.learning_rate = 0.01, .momentum = 0.9}),
                  {0.968296945f, -0.48047179f, 0.242270797f}},
        Reference{"nesterov",
                  Of<Sgd>({.learning_rate = 0.01, .momentum = 0.9, .nesterov = true}),
                  {0.956467271f, -0.47142458f, 0.243043721f}},
        Reference{"rmsprop",
                  Of<Rmsprop>({.learning_rate = 0.01}),
                  {0.867724001f, -0.355421185f, 0.24019435f}},
        Reference{"rmsprop_momentum",
                  Of<Rmsprop>({.learning_rate = 0.01, .rho = 0.8, .momentum = 0.5}),
                  {0.842986345f, -0.33134079f, 0.220647246f}}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    PyTorch, OptimizerReference,
    testing::Values(Reference{
        "sgd_with_decay_in_the_gradient",
        Of<Sgd>({.learning_rate = 0.01,
                 .momentum = 0.9,
                 .options = {.weight_decay = 0.1, .weight_decay_in = WeightDecayIn::kLoss}}),
        {0.955234408f, -0.473935902f, 0.239034861f}}),
    [](const auto& info) { return info.param.name; });

// A resumed run is told the number of its step alone: two optimizers of the same numbers, one of
// which has made all steps and one of which makes the last, do the same.
TEST(Nadam, TakesTheProductOfMomentumsFromTheStepAlone) {
  const Nadam whole({}), resumed({});
  std::vector<float> values = {1, -0.5f, 0.25f};
  Arrays slots = SlotsOf(whole, 3);
  for (int t = 1; t <= 2000; ++t) Step(whole, values, {0.1f, -0.2f, 0.3f}, slots, t, 0.001);
  std::vector<float> saved = values;
  Arrays saved_slots = slots;
  Step(whole, values, {0.1f, -0.2f, 0.3f}, slots, 2001, 0.001);
  Step(resumed, saved, {0.1f, -0.2f, 0.3f}, saved_slots, 2001, 0.001);
  EXPECT_EQ(saved, values);
}

TEST(Optimizer, RefusesWhatIsOutOfRange) {
  EXPECT_EQ(CaughtError([] { Sgd({.momentum = 1}); }), "`momentum` takes less than 1, not 1\n");
  EXPECT_EQ(CaughtError([] { Adam({.moments = {.epsilon = 0}}); }),
            "`epsilon` takes more than 0, not 0\n");
  EXPECT_EQ(CaughtError([] { Adagrad({.epsilon = 1e-46}); }),
            "`epsilon` takes a number that float32 can hold, from 1.2e-38 to 3.4e+38, not 1e-46\n");
  EXPECT_EQ(CaughtError([] { Lion({.beta_1 = 0}); }), "`beta_1` takes more than 0, not 0\n");
}

}  // namespace
}  // namespace weir
