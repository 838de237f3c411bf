#include "stages/train/class_weight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framework/config/yaml_reader.h"
#include "stages/train/losses/focal.h"
#include "stages/train/optimizers/sgd.h"
#include "tests/stages/device/processor_device.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kClasses = {"ants", "bees", "wasps"};

ClassWeight Read(const std::string& text) {
  Problems problems;
  const YamlNode node = ParseYaml(YamlSource::File("a.yaml", text, "/photos"), problems);
  const auto read = ParamType<ClassWeight>::Read(*node.Find("class_weight"), {}, problems);
  EXPECT_EQ(problems.text(), "");
  return read.value_or(ClassWeight{});
}

ClassCounts Counts(const std::vector<std::uint64_t>& train) {
  return {[train](Split split, int label) { return split == Split::kTrain ? train[label] : 1; }};
}

TEST(WeightsOf, AreOneForWhatIsNotNamed) {
  EXPECT_THAT(WeightsOf({}, kClasses, nullptr), IsEmpty());
  EXPECT_THAT(WeightsOf(Read("class_weight: {bees: 2.5}"), kClasses, nullptr),
              ElementsAre(1, 2.5, 1));
}

// sklearn.utils.class_weight.compute_class_weight("balanced", ...) of 30, 6 and 24 pictures.
TEST(WeightsOf, AreScikitLearnsWhereTheyAreBalanced) {
  const ClassCounts counts = Counts({30, 6, 24});
  EXPECT_THAT(WeightsOf(Read("class_weight: balanced"), kClasses, &counts),
              ElementsAre(60. / 90, 60. / 18, 60. / 72));
}

TEST(WeightsOf, BlamesThePlaceOfAClassThatIsNotThere) {
  const ClassWeight weight = Read("class_weight: {ants: 2, bes: 1}");
  EXPECT_EQ(CaughtError([&] { WeightsOf(weight, kClasses, nullptr); }),
            "a.yaml:1:25: `class_weight` names 'bes', which is no class of the pictures\n"
            "    1 | class_weight: {ants: 2, bes: 1}\n"
            "      |                         ^\n"
            "Did you mean 'bees'?");
  const ClassWeight far = Read("class_weight: {termites: 2}");
  EXPECT_EQ(CaughtError([&] { WeightsOf(far, kClasses, nullptr); }),
            "a.yaml:1:16: `class_weight` names 'termites', which is no class of the pictures\n"
            "    1 | class_weight: {termites: 2}\n"
            "      |                ^\n"
            "The classes are 'ants', 'bees' and 'wasps'.");
}

TEST(WeightsOf, RefusesToBalanceWhatIsNotKnown) {
  const ClassWeight balanced = Read("class_weight: balanced");
  EXPECT_EQ(CaughtError([&] { WeightsOf(balanced, kClasses, nullptr); }),
            "training.class_weight: balanced needs to know how many pictures of each class there "
            "are to train on, which the source does not say\n"
            "Give the weights by name: class_weight: {ants: 2}.");
  const ClassCounts counts = Counts({30, 0, 24});
  EXPECT_EQ(CaughtError([&] { WeightsOf(balanced, kClasses, &counts); }),
            "training.class_weight: balanced has no weight for the class 'bees', of which there is "
            "no picture to train on\n"
            "Give the weights by name: class_weight: {ants: 2}.");
}

// Each part of a mixture counts by the weight of its own class.
TEST(WeightedGradient, OfAMixtureIsTheSumOfItsParts) {
  const std::vector<float> logits = {0.5f, -1, 2};
  const std::vector<double> weights = {3, 1, 0.25};
  const Sample mixed{.label = 2, .path = "", .mixture = {{2, 0.625}, {0, 0.375}}};
  const CrossEntropy smooth({.label_smoothing = 0.125});
  const Focal focal({.gamma = 2, .alpha = 0.5, .label_smoothing = 0.125});
  for (const Loss* const loss :
       {static_cast<const Loss*>(&smooth), static_cast<const Loss*>(&focal)}) {
    double expected_loss = 0;
    std::vector<double> expected(logits.size());
    for (const LabelPart& part : mixed.mixture) {
      const double weight = weights[part.label] * part.part;
      std::vector<float> gradient = logits;
      expected_loss += weight * loss->Gradient(gradient, {.label = part.label, .path = ""}, 1);
      for (std::size_t i = 0; i < logits.size(); ++i) expected[i] += weight * 0.5 * gradient[i];
    }
    std::vector<float> gradient = logits;
    EXPECT_NEAR(WeightedGradient(*loss, weights, gradient, mixed, 0.5), expected_loss, 1e-12);
    for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(gradient[i], expected[i], 1e-7);
  }
}

std::vector<float> LearntWith(const SmallTraining& training, bool on_device,
                              const ClassWeight& weight, double rate) {
  training.config->class_weight = weight;
  training.config->optimizer = std::make_shared<const Sgd>(Sgd::Params{.learning_rate = rate});
  Running::Options options;
  if (on_device) options.device = std::make_shared<ProcessorDevice>();
  Running running(training, options);
  running.Pass(Split::kTrain, 0, 16);
  return running.State();
}

// A weight of 2 for every class is twice the learning rate, and of 1 changes nothing: in the head,
// in layers of the backbone, in batch norms that learn on the statistics of the batch, and on a
// device.
TEST(ClassWeight, ScalesTheGradient) {
  const auto all = [](double weight) {
    return ClassWeight{.named = {{"ants", weight}, {"bees", weight}, {"wasps", weight}}};
  };
  SmallTraining on_batch({.kind = FrozenConfig::Kind::kThrough, .through = "block_14"});
  on_batch.input = {64, 64};
  on_batch.source->config.backbone.batch_norm = BatchNormMode::kTrain;
  for (const SmallTraining& training : {HeadOnly(), PartlyFrozen(), on_batch}) {
    for (const bool on_device : {false, true}) {
      const std::vector<float> plain = LearntWith(training, on_device, {}, 0.1);
      EXPECT_EQ(LearntWith(training, on_device, all(1), 0.1), plain);
      EXPECT_EQ(LearntWith(training, on_device, all(2), 0.05), plain);
      EXPECT_NE(LearntWith(training, on_device, all(2), 0.1), plain);
      EXPECT_NE(LearntWith(training, on_device, {.named = {{"bees", 3}}}, 0.1), plain);
    }
  }
}

TEST(ClassWeight, IsOfTrainPassesAlone) {
  const auto losses = [](const ClassWeight& weight) {
    SmallTraining training = HeadOnly();
    training.config->class_weight = weight;
    training.config->optimizer = std::make_shared<const Sgd>(Sgd::Params{.learning_rate = 1e-30});
    Running running(training);
    std::vector<double> losses;
    for (const Split split : {Split::kTrain, Split::kValidation}) {
      running.Pass(split, 0, 12);
      losses.push_back(running.learner().metrics().loss());
    }
    return losses;
  };
  const std::vector<double> plain = losses({});
  const std::vector<double> doubled = losses({.named = {{"ants", 2}, {"bees", 2}, {"wasps", 2}}});
  EXPECT_NEAR(doubled[0], 2 * plain[0], 1e-12);
  EXPECT_EQ(doubled[1], plain[1]);
}

}  // namespace
}  // namespace weir
