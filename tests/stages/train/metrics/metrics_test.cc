#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/yaml_emitter.h"
#include "stages/train/metrics/accuracy.h"
#include "stages/train/metrics/expected_calibration_error.h"
#include "stages/train/metrics/metric.h"
#include "stages/train/metrics/predictions.h"
#include "stages/train/metrics/roc_auc.h"
#include "stages/train/metrics/top_k.h"
#include "tests/support/caught_error.h"
#include "tests/support/listed_parts.h"

namespace weir {
namespace {

using ::testing::ElementsAre;

Sample Of(int label) { return {.label = label, .path = ""}; }

// A pass of these logits and labels.
Predictions Passed(const std::vector<std::pair<std::vector<float>, int>>& pictures) {
  Predictions predictions({.classes = static_cast<int>(pictures[0].first.size()),
                           .pictures = pictures.size() + 1,  // one was dropped
                           .has_rankings = true});
  predictions.Open();
  predictions.Begin();
  for (const auto& [logits, label] : pictures) predictions.Add(label, logits, {});
  predictions.Finish();
  return predictions;
}

// What holds of every row of the list, the next one included.
class EveryMetric : public testing::TestWithParam<Part<Metric>> {};

TEST_P(EveryMetric, IsWrittenAsItIsRead) { ExpectRoundTrip(GetParam()); }

// Seven classes, each found with certainty.
TEST_P(EveryMetric, IsBestWhereTheLogitsAreSure) {
  const auto metric = MadeOfDefaults(GetParam());
  std::vector<std::pair<std::vector<float>, int>> pictures;
  for (int label = 0; label < 7; ++label) {
    pictures.push_back({std::vector<float>(7, -99), label});
    pictures.back().first[label] = 99;
  }
  const double best = metric->is_higher_better() ? 1 : 0;
  metric->CheckClasses(7);
  if (const auto* of_pass = dynamic_cast<const PassMetric*>(metric.get())) {
    EXPECT_EQ(of_pass->Of(Passed(pictures).view()), best);
  } else {
    const auto& of_picture = dynamic_cast<const PictureMetric&>(*metric);
    for (const auto& [logits, label] : pictures) {
      EXPECT_EQ(of_picture.Of(logits, Of(label)), best);
    }
  }
}

TEST_P(EveryMetric, SaysWhichDirectionIsBetter) {
  const ListOfMetrics all = {MadeOfDefaults(GetParam())};
  EXPECT_EQ(HigherIsBetter(all[0]->name(), all), all[0]->is_higher_better());
  EXPECT_EQ(HigherIsBetter("loss", all), false);
  EXPECT_EQ(HigherIsBetter("another", all), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(List, EveryMetric, testing::ValuesIn(Metric::All()),
                         [](const auto& info) { return std::string(info.param.names.front()); });

TEST(Accuracy, IsOfTheFirstOfTheLargest) {
  const std::vector<float> logits = {0, 3, 3};
  EXPECT_EQ(Accuracy().Of(logits, Of(1)), 1);
  EXPECT_EQ(Accuracy().Of(logits, Of(2)), 0);
}

TEST(TopK, IsOfTheFirstOfTheLargest) {
  const std::vector<float> logits = {0, 3, 3, 1};
  const TopK two({.k = 2}), three({.k = 3});
  EXPECT_EQ(two.name(), "top_2");
  EXPECT_EQ(EmitFlow(two.ToYaml()), "{top_k: {k: 2}}");
  EXPECT_EQ(two.Of(logits, Of(2)), 1);
  EXPECT_EQ(two.Of(logits, Of(3)), 0);
  EXPECT_EQ(three.Of(logits, Of(3)), 1);
  EXPECT_EQ(three.Of(logits, Of(0)), 0);
}

TEST(TopK, IsNotHitByALogitThatIsNoNumber) {
  const std::vector<float> logits = {1, std::numeric_limits<float>::quiet_NaN(), 0};
  EXPECT_EQ(TopK({.k = 3}).Of(logits, Of(1)), 0);
  EXPECT_EQ(TopK({.k = 3}).Of(logits, Of(2)), 1);
}

TEST(TopK, IsRefusedOfMoreThanTheClasses) {
  TopK({.k = 3}).CheckClasses(3);
  EXPECT_EQ(CaughtError([] { TopK({.k = 4}).CheckClasses(3); }),
            "training.metrics: top_k with k: 4 is more than the 3 classes\nGive a smaller k.");
}

TEST(PassMetrics, AreNoneWhereTheyCannotBeComputed) {
  const Predictions one_class = Passed({{{0, 1}, 1}, {{1, 0}, 1}});
  for (const char* name : {"roc_auc", "average_precision"}) {
    for (const Part<Metric>& part : Metric::All()) {
      if (part.names.front() != name) continue;
      const auto made = std::dynamic_pointer_cast<const PassMetric>(MadeOfDefaults(part));
      EXPECT_EQ(made->Of(one_class.view()), std::nullopt) << name;
      EXPECT_EQ(made->needs(), "pictures of two classes");
    }
  }
}

// A picture counted twice is two of it, also among equal ones.
TEST(PassMetrics, CountEachPictureSoManyTimes) {
  using Pictures = std::vector<std::pair<std::vector<float>, int>>;
  const Pictures once = {{{0, 1, 0}, 1}, {{1, 0, 0}, 1}, {{2, 0, 1}, 0}, {{2, 0, 1}, 2}};
  const std::vector<std::uint32_t> times = {2, 0, 1, 3};
  Pictures repeated;
  for (std::size_t i = 0; i < once.size(); ++i) {
    repeated.insert(repeated.end(), times[i], once[i]);
  }
  const Predictions of_once = Passed(once), of_repeated = Passed(repeated);
  PredictionView counted = of_once.view();
  counted.times = times;
  counted.tallies = of_repeated.view().tallies;
  for (const Part<Metric>& part : Metric::All()) {
    const auto made = std::dynamic_pointer_cast<const PassMetric>(MadeOfDefaults(part));
    if (!made) continue;
    ASSERT_TRUE(made->Of(counted).has_value()) << made->name();
    EXPECT_NEAR(*made->Of(counted), *made->Of(of_repeated.view()), 1e-12) << made->name();
  }
}

TEST(Predictions, HoldWhatTheyDeclare) {
  EXPECT_EQ(Predictions().bytes(), 0u);
  EXPECT_EQ(Predictions({.classes = 3, .pictures = 10}).bytes(), 10 * 12 + 3 * 28u);
  EXPECT_EQ(Predictions({.classes = 3, .pictures = 10, .has_rankings = true}).bytes(),
            10 * (12 + 3 * 4 + 8) + 3 * 28u);
  EXPECT_EQ(Predictions({.classes = 2, .pictures = 10, .has_rankings = true}).bytes(),
            10 * (12 + 4 + 8) + 2 * 28u);
  Predictions one({.classes = 2, .pictures = 1});
  one.Open();
  one.Begin();
  const std::vector<float> logits = {0, 1};
  one.Add(0, logits, {});
  EXPECT_THROW(one.Add(0, logits, {}), std::length_error);
}

TEST(Predictions, AreRankedFromTheMostProbableDown) {
  const Predictions passed = Passed({{{0, 1}, 1}, {{0, 3}, 0}, {{0, 1}, 0}});
  std::vector<int> pictures, ties;
  for (const Ranked& ranked : passed.view().rankings) {
    pictures.push_back(ranked.picture);
    ties.push_back(ranked.is_tied);
  }
  EXPECT_THAT(pictures, ElementsAre(1, 0, 2));
  EXPECT_THAT(ties, ElementsAre(0, 0, 1));
}

}  // namespace
}  // namespace weir
