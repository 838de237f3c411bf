#include "pipelines/record/config_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const char* const kBefore = R"(
seed: 1
pipeline:
  - directory: {path: /data/a, classes: [ants, bees]}
  - augment: {zoom: 0.2}
  - features: {}
model:
  head:
    - dense: {units: 8}
    - dense: {units: classes}
training: {epochs: 2, optimizer: {adam: {learning_rate: 0.001}}}
)";

std::vector<std::string> Changes(const std::string& before, const std::string& now) {
  return ChangesBetween(before, now, [](std::string_view) { return false; });
}

TEST(ChangesBetween, NeverShowsWhatFollowsTheQuestionMarkOfAnAddress) {
  const auto shards = [](const std::string& list) {
    return "pipeline:\n  - webdataset: {shards: " + list + "}\n";
  };
  EXPECT_THAT(Changes(shards("['https://h/a.tar?sig=one', b.tar]"),
                      shards("['https://h/a.tar?sig=two', b.tar]")),
              IsEmpty());
  const std::vector<std::string> changes =
      Changes(shards("['https://h/a.tar?sig=one']"), shards("'https://h/b.tar?sig=two'"));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0], testing::HasSubstr("https://h/b.tar"));
  EXPECT_THAT(changes[0], testing::Not(testing::HasSubstr("sig")));
}

TEST(ChangesBetween, NamesEachValueAsItIsAddressed) {
  EXPECT_THAT(Changes(kBefore, R"(
seed: 1
pipeline:
  - directory: {path: "/data/b\x1b", classes: [ants, bees]}
  - augment: {zoom: 0.3, shear: 1}
  - features: {}
model:
  head:
    - dense: {units: 16}
    - dense: {units: classes}
training: {epochs: 4, optimizer: {adam: {learning_rate: 0.0005}}}
)"),
              ElementsAre("model.head.dense.units was 8, classes, is 16, classes from here on",
                          "pipeline.augment.shear was not set, is 1 from here on",
                          "pipeline.augment.zoom was 0.2, is 0.3 from here on",
                          "pipeline.directory.path was /data/a, is /data/b\\x1b from here on",
                          "training.epochs was 2, is 4 from here on",
                          "training.optimizer.adam.learning_rate was 0.001, is 0.0005 from here "
                          "on"));
}

TEST(ChangesBetween, SaysWhatComesTooLate) {
  EXPECT_THAT(ChangesBetween("phases: [{name: a, epochs: 1}, {name: b, epochs: 2}]",
                             "phases: [{name: a, epochs: 3}, {name: b, epochs: 4}]",
                             [](std::string_view key) { return key == "phases.0.epochs"; }),
              ElementsAre("phases.0.epochs was 1, is 3, which comes too late",
                          "phases.1.epochs was 2, is 4 from here on"));
}

TEST(ChangesBetween, NamesListsAndStagesThatCameOrWent) {
  EXPECT_THAT(
      Changes("pipeline: [{a: {}}, {b: {size: [1, 2], root: ~}}]", "pipeline: [{a: {}}, {c: {}}]"),
      ElementsAre("pipeline.b.size was [1, 2], is not set from here on",
                  "pipeline.c was not set, is {} from here on"));
}

TEST(ChangesBetween, ShowsTheBeginningOfALongValue) {
  const std::string umlauts = "\u00fc";
  std::string longer = "a";  // so that a character stands across the last byte that is shown
  while (longer.size() < 300) longer += umlauts;
  EXPECT_THAT(Changes("name: b", "name: " + longer),
              ElementsAre("name was b, is " + longer.substr(0, 199) + "... from here on"));
}

TEST(ChangesBetween, SaysOfAVeryLongConfigurationOnlyThatItIsAnother) {
  std::string many = "shards:\n";
  for (int i = 0; i < 20'000; ++i) many += "  - " + std::to_string(i) + ".tar\n";
  EXPECT_THAT(Changes(many, many), IsEmpty());
  EXPECT_THAT(
      Changes(many, many + "  - more.tar\n"),
      ElementsAre("the configuration is another one than before, and too long to say where"));
}

TEST(ChangesBetween, SaysNothingOfTheSameOrOfWhatIsNoConfiguration) {
  EXPECT_THAT(Changes(kBefore, kBefore), IsEmpty());
  EXPECT_THAT(Changes("", kBefore), IsEmpty());
  EXPECT_THAT(Changes("a: [", kBefore), IsEmpty());
}

}  // namespace
}  // namespace weir
