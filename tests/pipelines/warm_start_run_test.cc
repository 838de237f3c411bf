// Runs that begin with the model of another run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/pipelines/training_run.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class WarmStart : public TrainingRun {};

TEST_F(WarmStart, GoesOnWithTheHeadOfARunByTheNamesOfTheClasses) {
  Write("first", "{epochs: 3, keep: last, optimizer: {adam: {learning_rate: 0.01}}}");
  ASSERT_EQ(Run("first").status, 0);
  const double loss = Metrics("first", "validation").back()["loss"];
  // At a rate of nearly nothing it is measured as it begins.
  Write("again", "{epochs: 1, optimizer: {sgd: {learning_rate: 1e-30}}}");
  const std::string from = "model.from=" + Out("first").string();
  const ProcessOutcome outcome = Run("again", {"--set", from});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("backbone and head; "));
  EXPECT_EQ(Metrics("again", "validation").back()["loss"], loss);
}

// Measured by the classes' names: the loss is the same in any order of them.
TEST_F(WarmStart, FindsTheClassesInAnotherOrder) {
  Write("first", "{epochs: 3, keep: last, optimizer: {adam: {learning_rate: 0.01}}}");
  const std::string other =
      "pipeline.directory.classes=[umbrella, fish, tree, house, teapot, sailboat]";
  ASSERT_EQ(Run("first", {"--set", other}).status, 0);
  const nlohmann::json measured = Metrics("first", "validation").back();
  Write("again", "{epochs: 1, optimizer: {sgd: {learning_rate: 1e-30}}}");
  const ProcessOutcome outcome = Run("again", {"--set", "model.from=" + Out("first").string()});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("; 6 of 6 classes go on\n"));
  const nlohmann::json again = Metrics("again", "validation").back();
  EXPECT_EQ(again["accuracy"], measured["accuracy"]);
  EXPECT_NEAR(again["loss"].get<double>(), measured["loss"].get<double>(), 1e-6)
      << "sums of logits in another order";
}

TEST_F(WarmStart, DrawsTheClassesThatAreNew) {
  Write("first", "{epochs: 3, keep: last, optimizer: {adam: {learning_rate: 0.01}}}");
  const std::string four = "pipeline.directory.classes=[teapot, fish, sailboat, house]";
  ASSERT_EQ(Run("first", {"--set", four}).status, 0);
  Write("again", "{epochs: 1, optimizer: {sgd: {learning_rate: 1e-30}}}");
  const std::string from = "model.from=" + (Out("first") / "model").string();
  const ProcessOutcome more = Run("again", {"--set", from});
  ASSERT_EQ(more.status, 0) << more.err;
  EXPECT_THAT(more.out, HasSubstr("4 of 6 classes go on, `tree` and `umbrella` begin anew\n"));
  const ProcessOutcome fewer =
      Weir(Joined({"run", (scratch_ / "again.yaml").string(), "--out", Out("fewer").string()},
                  {"--set", from, "--set", "pipeline.directory.classes=[house, fish]"}));
  ASSERT_EQ(fewer.status, 0) << fewer.err;
  EXPECT_THAT(fewer.out, HasSubstr("2 of 2 classes go on, 2 of its classes are left out\n"));
}

TEST_F(WarmStart, AHeadThatIsNotUsedIsTold) {
  Write("first", "{epochs: 1}");
  ASSERT_EQ(Run("first").status, 0);
  Write("again", "{epochs: 1}");
  const std::string weights = (Out("first") / "model/model.safetensors").string();
  const ProcessOutcome outcome = Run("again", {"--set", "model.backbone.weights=" + weights});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              HasSubstr(weights + " has a head too, which is not used: the head begins "
                                  "anew; `model.from` in place of `weights` takes it "
                                  "over\n"));
}

TEST_F(WarmStart, RefusesAnotherBackboneAndAnotherHead) {
  Write("first", "{epochs: 1}");
  ASSERT_EQ(Run("first").status, 0);
  Write("again", "{epochs: 1}");
  const std::string from = "model.from=" + (Out("first") / "model").string();
  const ProcessOutcome width = Run("again", {"--set", from, "--set", "model.backbone.width=0.5"});
  EXPECT_EQ(width.status, 2);
  EXPECT_THAT(width.err, HasSubstr("is a model with a mobilenet_v2 of width 0.35, and "
                                   "model.backbone declares a mobilenet_v2 of width 0.5"));
  const ProcessOutcome head = Run(
      "again", {"--set", from, "--set",
                "model.head=[global_average_pooling, dense: {units: 8}, dense: {units: classes, "
                "activation: softmax}]"});
  EXPECT_EQ(head.status, 2);
  EXPECT_THAT(head.err, HasSubstr("is another than the one of model.head: it "));
  const ProcessOutcome nothing = Run("again", {"--set", "model.from=" + scratch_.path().string()});
  EXPECT_EQ(nothing.status, 4);
  EXPECT_THAT(nothing.err, HasSubstr(" holds no model\n"));
}

}  // namespace
}  // namespace weir
