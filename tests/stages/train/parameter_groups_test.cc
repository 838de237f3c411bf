#include "stages/train/parameter_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stages/train/optimizers/adam.h"
#include "stages/train/optimizers/lamb.h"
#include "stages/train/optimizers/sgd.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using ::testing::ElementsAre;

FrozenConfig Unfrozen() { return {.kind = FrozenConfig::Kind::kNone}; }
FrozenConfig Through(const std::string& layer) {
  return {.kind = FrozenConfig::Kind::kThrough, .through = layer};
}

ParameterGroup Group(std::vector<std::string> patterns, std::optional<double> rate,
                     std::optional<double> decay = {}) {
  return {.parameters = {std::move(patterns)}, .learning_rate = rate, .weight_decay = decay};
}

// The spans of an optimizer with these options, and what they say of each parameter.
struct Spans {
  explicit Spans(const OptimizerOptions& options, const FrozenConfig& frozen = Unfrozen(),
                 const Convention& convention = Convention::Keras())
      : Spans(Sgd({.learning_rate = 0.01, .options = options}), frozen, convention) {}
  Spans(const Optimizer& optimizer, const FrozenConfig& frozen, const Convention& convention)
      : model(SmallTraining(frozen, convention).MakeModel()),
        table(DeclareParameters(*model).learning),
        all(StepSpans(*model, optimizer, table)) {}

  const StepSpan& Of(const std::string& parameter) const {
    const std::size_t at = table.at(parameter).offset;
    return *std::ranges::find_if(all, [&](const StepSpan& span) {
      return at >= span.begin && at < span.begin + span.count;
    });
  }
  double Factor(const std::string& parameter) const { return Of(parameter).rate_factor; }
  double Decay(const std::string& parameter) const { return Of(parameter).weight_decay; }

  std::shared_ptr<Model> model;
  ParameterTable table;
  std::vector<StepSpan> all;
};

std::string Refusal(const OptimizerOptions& options, const FrozenConfig& frozen = Unfrozen()) {
  return CaughtError([&] { Spans(options, frozen); });
}

TEST(StepSpans, AreOneWithTheDefaultsOfAnOptimizer) {
  for (const Part<Optimizer>& part : Optimizer::All()) {
    Problems problems;
    const auto optimizer = part.read(YamlNode::Null({}), problems);
    const Spans spans(*optimizer, Unfrozen(), Convention::Keras());
    const double decay = optimizer->options().weight_decay;
    if (optimizer->needs_whole_parameters()) {
      EXPECT_EQ(spans.all.size(), spans.table.all().size());
    } else {
      EXPECT_THAT(spans.all, ElementsAre(StepSpan{0, spans.table.values(), 1, decay}));
    }
  }
}

TEST(StepSpans, CoverTheRunInOrder) {
  const Spans spans(
      {.weight_decay = 0.1, .no_decay = NoDecay::kNormsAndBiases, .layer_decay = 0.7});
  std::size_t end = 0;
  for (const StepSpan& span : spans.all) {
    EXPECT_EQ(span.begin, end);
    end = span.begin + span.count;
  }
  EXPECT_EQ(end, spans.table.values());
}

TEST(StepSpans, LeaveNormsAndBiasesWithoutDecay) {
  const Spans spans({.weight_decay = 0.1, .no_decay = NoDecay::kNormsAndBiases});
  EXPECT_EQ(spans.Decay("features.18.0.weight"), 0.1);
  EXPECT_EQ(spans.Decay("features.18.1.weight"), 0);  // gamma
  EXPECT_EQ(spans.Decay("features.18.1.bias"), 0);
  EXPECT_EQ(spans.Decay("head.2.weight"), 0.1);
  EXPECT_EQ(spans.Decay("head.2.bias"), 0);
  const Spans all({.weight_decay = 0.1});
  EXPECT_EQ(all.Decay("head.2.bias"), 0.1);
}

// timm 1.0: create_model("mobilenetv2_100") has the layers 0 to 17 and the classifier, 18.
TEST(StepSpans, LowerTheRateFromBlockToBlock) {
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    const Spans spans({.layer_decay = 0.5}, Unfrozen(), convention);
    EXPECT_EQ(spans.Factor("head.2.weight"), 1);
    EXPECT_EQ(spans.Factor("head.1.bias"), 1);
    EXPECT_EQ(spans.Factor("features.18.0.weight"), 0.5);
    EXPECT_EQ(spans.Factor("features.18.1.bias"), 0.5);
    EXPECT_EQ(spans.Factor("features.17.conv.0.0.weight"), 0.5);
    EXPECT_EQ(spans.Factor("features.17.conv.2.weight"), 0.5);
    EXPECT_EQ(spans.Factor("features.16.conv.2.weight"), 0.25);
    EXPECT_EQ(spans.Factor("features.1.conv.0.0.weight"), std::pow(0.5, 17));
    EXPECT_EQ(spans.Factor("features.0.0.weight"), std::pow(0.5, 18));
  }
  // What is frozen has its place all the same.
  const Spans behind({.layer_decay = 0.5}, Through("block_12"));
  EXPECT_EQ(behind.Factor("features.14.conv.0.0.weight"), std::pow(0.5, 4));
}

TEST(StepSpans, GiveGroupsTheirRateAndTheirWeightDecay) {
  const Spans spans({.weight_decay = 0.1,
                     .layer_decay = 0.5,
                     .groups = {Group({"head.*"}, 0.05), Group({"block_16"}, {}, 0.3),
                                Group({"Conv1"}, 0.001, 0.0)}});
  EXPECT_DOUBLE_EQ(spans.Factor("head.1.weight"), 5);
  EXPECT_EQ(spans.Decay("head.1.weight"), 0.1);
  EXPECT_EQ(spans.Factor("features.17.conv.0.0.weight"), 0.5);
  EXPECT_EQ(spans.Decay("features.17.conv.0.0.weight"), 0.3);
  EXPECT_DOUBLE_EQ(spans.Factor("features.0.0.weight"), 0.1);  // as written, without layer_decay
  EXPECT_EQ(spans.Decay("features.0.0.weight"), 0);
}

TEST(StepSpans, MatchOwnNamesAndLayersInEveryNaming) {
  const auto in_group = [](const std::string& pattern) {
    const Spans spans({.groups = {Group({pattern}, 0.1)}});
    std::vector<std::string> names;
    for (const Parameter& parameter : spans.table.all()) {
      if (spans.Factor(parameter.name) != 1) names.push_back(parameter.name);
    }
    return names;
  };
  const auto last =
      ElementsAre("features.18.0.weight", "features.18.1.weight", "features.18.1.bias");
  EXPECT_THAT(in_group("features.18"), last);
  EXPECT_THAT(in_group("features.18.*"), last);
  EXPECT_THAT(in_group("Conv_1"), last);
  EXPECT_THAT(in_group("conv_head"), last);      // timm's
  EXPECT_THAT(in_group("features.18.0"), last);  // with its batch norm, as in model.frozen
  const auto norm = ElementsAre("features.18.1.weight", "features.18.1.bias");
  EXPECT_THAT(in_group("Conv_1_bn"), norm);
  EXPECT_THAT(in_group("features.18.1"), norm);
  EXPECT_THAT(in_group("features.18.1.bias"), ElementsAre("features.18.1.bias"));
  EXPECT_THAT(in_group("head.?.bias"), ElementsAre("head.1.bias", "head.2.bias"));
  EXPECT_THAT(in_group("head.2"), ElementsAre("head.2.weight", "head.2.bias"));
}

TEST(StepSpans, RefuseWhatTheGroupsLeaveUnclear) {
  EXPECT_EQ(
      Refusal({.groups = {Group({"head"}, 1), Group({"Conv_1", "block_17"}, 1)}}),
      "training.optimizer.sgd.groups[1].parameters: the pattern `block_17` matches no "
      "parameter that learns; did you mean `block_1`?\nMatch parameters or layers that learn, "
      "such as head.2.bias, block_1_* or features.3.");
  EXPECT_EQ(Refusal({.groups = {Group({"head.2.wieght"}, 1)}}),
            "training.optimizer.sgd.groups[0].parameters: the pattern `head.2.wieght` matches no "
            "parameter that learns; did you mean `head.2.weight`?\nMatch parameters or layers that "
            "learn, such as head.2.bias, block_1_* or features.3.");
  EXPECT_EQ(Refusal({.groups = {Group({"block_3"}, 1)}}, Through("block_12")),
            "training.optimizer.sgd.groups[0].parameters: the pattern `block_3` matches frozen "
            "layers alone\nLeave them out of model.frozen, or leave the pattern out.");
  EXPECT_EQ(Refusal({.groups = {Group({"head.2"}, 1), Group({"*.bias"}, {}, 0)}}),
            "training.optimizer.sgd.groups[1].parameters: the pattern `*.bias` matches "
            "head.2.bias, which groups[0] has already\nLet each parameter be in one group.");
  EXPECT_EQ(Refusal({.no_decay = NoDecay::kNormsAndBiases, .groups = {Group({"*.bias"}, {}, 0.1)}}),
            "training.optimizer.sgd.groups[0].weight_decay: all parameters of the group are norms "
            "and biases, which `no_decay` leaves alone\nLeave the group's weight_decay out, or set "
            "no_decay to nothing.");
}

TEST(StepSpans, AreRefusedBeforeAnythingRuns) {
  SmallTraining training = HeadOnly();
  training.config->optimizer =
      std::make_shared<Adam>(Adam::Params{.options = {.groups = {Group({"block_16"}, 1)}}});
  EXPECT_EQ(CaughtError([&] { Running running(training); }),
            "training.optimizer.adam.groups[0].parameters: the pattern `block_16` matches frozen "
            "layers alone\nLeave them out of model.frozen, or leave the pattern out.");
  Running measuring(training, {.training = false});  // learns nothing, and needs no groups
}

}  // namespace
}  // namespace weir
