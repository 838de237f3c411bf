#include "stages/model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/caught_error.h"
#include "tests/support/head_layers.h"

namespace weir {
namespace {

using testing::ElementsAre;
const HeadPart kPooling = HeadAveragePooling();
const HeadPart kClasses = HeadDenseOfClasses(Activation::kSoftmax);

Model Make(FrozenConfig frozen, Head head = {kPooling, kClasses}) {
  return Model({.frozen = std::move(frozen), .head = std::move(head)}, Convention::Keras(),
               {224, 224}, {"ants", "bees"}, 1);
}

FrozenConfig Through(std::string name) {
  return {.kind = FrozenConfig::Kind::kThrough, .through = std::move(name)};
}

FrozenConfig Patterns(std::vector<std::string> patterns) {
  return {.kind = FrozenConfig::Kind::kPatterns, .patterns = std::move(patterns)};
}

const FrozenConfig kAll = {};
const FrozenConfig kNone = {.kind = FrozenConfig::Kind::kNone};

std::string RefusalOfHead(Head head) {
  return CaughtError([&] { Make(kAll, head).CheckClassifier(); });
}

std::string RefusalOfFrozen(FrozenConfig frozen) {
  return CaughtError([&] { Make(frozen); });
}

TEST(Model, FrozenWholePoolsInThePrefix) {
  const Model model = Make(kAll, {kPooling, HeadDense(1024), kClasses});
  EXPECT_EQ(model.prefix_layers(), 52);
  EXPECT_EQ(model.prefix_pooling(), Pooling::kAverage);
  EXPECT_EQ(model.first_head_layer(), 1);
  EXPECT_THAT(model.feature_dims(), ElementsAre(1280));
  EXPECT_EQ(model.head()[2]->declaration(), "dense 2 softmax");
  EXPECT_EQ(model.trained_values(), 1281u * 1024 + 1025 * 2);
}

TEST(Model, FrozenWholeKeepsTheMapThatTheHeadFlattens) {
  const Model model = Make(kAll, {HeadFlatten(), kClasses});
  EXPECT_EQ(model.prefix_pooling(), Pooling::kNone);
  EXPECT_EQ(model.first_head_layer(), 0);
  EXPECT_THAT(model.feature_dims(), ElementsAre(7, 7, 1280));
  EXPECT_THAT(model.head_input_dims(1), ElementsAre(7 * 7 * 1280));
}

TEST(Model, PoolingStaysBehindADropoutThatDrawsRandomNumbers) {
  const Model model = Make(kAll, {HeadDropout(), kPooling, kClasses});
  EXPECT_EQ(model.prefix_pooling(), Pooling::kNone);
  EXPECT_THAT(model.feature_dims(), ElementsAre(7, 7, 1280));
}

TEST(Model, NothingFrozenHasNoPrefix) {
  const Model model = Make(kNone);
  EXPECT_EQ(model.prefix_layers(), 0);
  EXPECT_THAT(model.feature_dims(), ElementsAre(224, 224, 3));
  // Keras counts 2,223,872 trainable parameters in MobileNetV2(include_top=False).
  EXPECT_EQ(model.trained_values(), 2223872u + 1281 * 2);
}

TEST(Model, FrozenThroughABlockCutsBehindIt) {
  const Model model = Make(Through("block_12"));
  EXPECT_EQ(model.prefix_layers(), 39);
  EXPECT_EQ(model.network().layers()[38].name, "block_12_project");
  EXPECT_THAT(model.feature_dims(), ElementsAre(14, 14, 96));
  EXPECT_EQ(model.prefix_pooling(), Pooling::kNone);
  EXPECT_FALSE(model.learns(38));
  EXPECT_TRUE(model.learns(39));
}

TEST(Model, EveryNamingFreezesTheSame) {
  for (const char* name : {"block_12", "block_12_add", "features.13", "blocks.4.2"}) {
    EXPECT_EQ(Make(Through(name)).prefix_layers(), 39) << name;
  }
}

// Block 14 adds its input to its output, so a cut inside it would be crossed by two maps.
TEST(Model, CutsBeforeABlockWhoseInputIsNeededAgain) {
  const Model model = Make(Through("block_14_depthwise"));
  EXPECT_EQ(model.prefix_layers(), 42);
  EXPECT_EQ(model.network().layers()[41].name, "block_13_project");
  EXPECT_FALSE(model.learns(43));  // frozen behind the cut
  EXPECT_TRUE(model.learns(44));
}

TEST(Model, CutsInsideABlockWithoutAResidual) {
  EXPECT_EQ(Make(Through("block_13_depthwise")).prefix_layers(), 41);
}

TEST(Model, FrozenPatternsMayLieBehindWhatLearns) {
  const Model model = Make(Patterns({"Conv1", "features.18", "blocks.1.*"}));
  EXPECT_EQ(model.prefix_layers(), 1);
  EXPECT_FALSE(model.learns(0));
  EXPECT_TRUE(model.learns(1));
  EXPECT_FALSE(model.learns(3));  // block_1_expand is blocks.1.0.conv_pw
  EXPECT_FALSE(model.learns(8));
  EXPECT_TRUE(model.learns(9));
  EXPECT_FALSE(model.learns(51));
}

TEST(Model, PatternsKnowStarsAndQuestionMarks) {
  const Model model = Make(Patterns({"block_?_*", "*_depthwise"}));
  EXPECT_TRUE(model.learns(0));
  EXPECT_FALSE(model.learns(model.backbone().Find("block_9_expand")));
  EXPECT_TRUE(model.learns(model.backbone().Find("block_10_expand")));
  EXPECT_FALSE(model.learns(model.backbone().Find("block_10_depthwise")));
}

TEST(Model, FeedsWhatTheWeightsWantUnlessToldOtherwise) {
  EXPECT_EQ(Make(kAll).preprocessing(), Convention::Keras().preprocessing);
  const Preprocessing article{.scale = {1 / 255.f, 1 / 255.f, 1 / 255.f}, .offset = {0, 0, 0}};
  const Model model({.preprocessing = article, .head = {kPooling, kClasses}}, Convention::Keras(),
                    {224, 224}, {"ants", "bees"}, 1);
  EXPECT_EQ(model.preprocessing(), article);
}

TEST(Model, RefusesUnknownLayers) {
  EXPECT_EQ(RefusalOfFrozen(Through("blok_12")),
            "model.frozen: there is no layer `blok_12` in mobilenet_v2; did you mean `block_12`?\n"
            "Name a layer or block in Keras' or torchvision's way, such as block_12 or "
            "features.13.");
  EXPECT_EQ(RefusalOfFrozen(Patterns({"block_1*", "blocks_2_*"})),
            "model.frozen: the pattern `blocks_2_*` matches no layer of mobilenet_v2; did you mean "
            "`block_2`?\n"
            "Match layers or blocks in Keras' or torchvision's names, such as block_1_* or "
            "features.3.");
  EXPECT_EQ(RefusalOfFrozen(Patterns({"*_BN"})),
            "model.frozen: the pattern `*_BN` matches batch norms alone\n"
            "Match the convolutions: a batch norm freezes together with its own.");
}

TEST(Model, RefusesAHeadWhoseShapesDoNotFit) {
  EXPECT_EQ(RefusalOfHead({kClasses}),
            "model.head[0] (dense): a dense layer reads a vector, but a map of [7, 7, 1280] "
            "arrives here\nAdd global_average_pooling or flatten before it.");
  EXPECT_EQ(RefusalOfHead({kPooling, kPooling, kClasses}),
            "model.head[1] (global_average_pooling): there is no map left to pool\n"
            "Remove it: what arrives here is a vector already.");
  EXPECT_EQ(RefusalOfHead({HeadFlatten(), HeadDense(1000000), kClasses}),
            "model.head[1] (dense): 62720 inputs times 1000000 units are more than 2^30 weights\n"
            "Pool before it, or give it fewer units.");
}

TEST(Model, RefusesAHeadThatGivesNoClassProbabilities) {
  const std::string remedy = "\nEnd it with dense: {units: classes, activation: softmax}.";
  EXPECT_EQ(RefusalOfHead({}), "model.head: it is empty" + remedy);
  EXPECT_EQ(
      RefusalOfHead({kPooling}),
      "model.head: it ends with global_average_pooling, which gives no value a class" + remedy);
  EXPECT_EQ(RefusalOfHead({kPooling, HeadDense(3, Activation::kSoftmax)}),
            "model.head: its last layer has 3 units, the data has 2 classes\n"
            "Write `units: classes`, which follows the data.");
  EXPECT_EQ(RefusalOfHead({kPooling, HeadDenseOfClasses(Activation::kSigmoid)}),
            "model.head: the activation of its last layer is sigmoid, which gives no class "
            "probabilities\nUse softmax, or linear (logits), which learns the same.");
  EXPECT_EQ(RefusalOfHead({kPooling, HeadDense(8, Activation::kSoftmax), kClasses}),
            "model.head[1] (dense): softmax before the last layer\n"
            "Keep softmax for the last layer; relu is usual before it.");
  EXPECT_EQ(RefusalOfHead({kPooling, HeadDense(2, Activation::kLinear)}), "nothing was thrown");
}

TEST(Model, RefusesASingleClass) {
  EXPECT_EQ(CaughtError([] {
              Model({.head = {kPooling, kClasses}}, Convention::Keras(), {224, 224}, {"ants"}, 1);
            }),
            "model: the data has 1 class, a classifier needs two\n"
            "Add pictures of another class, if the labels are read from the right place.");
}

}  // namespace
}  // namespace weir
