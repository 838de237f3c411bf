// The list of words from elsewhere is held against the configuration that there is.
#include "pipelines/recipe/foreign_words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "framework/text.h"
#include "pipelines/recipe/recipe.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr const char* kWhole = R"(
pipeline:
  - directory: {path: photos}
  - decode
  - augment: {size: 224}
  - random_resized_crop
  - color_jitter
  - rand_augment
  - random_erasing
  - batch
  - mixup
  - cutmix
  - prefetch
  - features
  - train
)";
constexpr const char* kModel = "model: {head: [global_average_pooling, {dense: {units: 2}}]}\n";

class ForeignWordsTest : public testing::Test {
 protected:
  // What is wrong with a whole configuration, changed by `overrides`, with more stages in it.
  Problems Wrong(const std::vector<std::string>& overrides, const std::string& stages = "") {
    const auto path = folder_.Write("whole.yaml", kWhole + stages + kModel);
    Problems problems;
    LoadRecipe(stages_, path, overrides, problems);
    return problems;
  }

  const ScratchFolder folder_;
  StageTable stages_;
};

// "training.optimizer.*" as each optimizer there is.
std::vector<std::string> PlacesOf(std::string_view pattern) {
  if (pattern != "training.optimizer.*") return {std::string(pattern)};
  std::vector<std::string> places;
  for (const FieldDoc& field : DescribeTraining()) {
    if (field.name != "optimizer") continue;
    for (const FieldDoc& part : field.nested) places.push_back("training.optimizer." + part.name);
  }
  return places;
}

TEST_F(ForeignWordsTest, StandBesideAWholeConfiguration) { EXPECT_EQ(Wrong({}).text(), ""); }

TEST_F(ForeignWordsTest, RecommendWhatIsReadWithoutAProblem) {
  for (const ForeignWord& row : ForeignWords()) {
    const std::string key(row.key);
    if (key.empty()) {
      EXPECT_FALSE(row.note.empty()) << row.words[0];
    } else if (row.value.empty()) {
      const std::string stage = key.substr(key.find('.') + 1);
      EXPECT_NE(stages_.registry().Find(stage), nullptr) << row.words[0] << ": " << key;
    } else {
      const Problems problems = Wrong({key + "=" + std::string(row.value)});
      EXPECT_EQ(problems.text(), "") << row.words[0];
      EXPECT_TRUE(problems.warnings().empty()) << row.words[0];
    }
  }
}

TEST_F(ForeignWordsTest, AreUnknownWhereTheyAreListed) {
  for (const ForeignWord& row : ForeignWords()) {
    for (const std::string_view pattern : row.places) {
      for (const std::string& place : PlacesOf(pattern)) {
        for (const std::string_view word : row.words) {
          const bool is_stage = place == "pipeline";
          const std::string key = (place.empty() ? "" : place + ".") + std::string(word);
          const Problems problems =
              is_stage ? Wrong({}, "  - " + std::string(word) + "\n") : Wrong({key + "=yes"});
          const std::string advice =
              AdviceOn(row, word, "yes", is_stage ? AdviceForm::kYaml : AdviceForm::kOption);
          ASSERT_EQ(problems.size(), 1u) << key << ": " << problems.text();
          EXPECT_NE(problems.text().find(": " + advice + "\n"), std::string::npos)
              << key << ": " << problems.text();
        }
      }
    }
  }
}

// "--set KEY=VALUE", which ends a line of `text`, as an override.
std::string OptionIn(const std::string& text) {
  const std::size_t begin = text.find("--set ", text.find(" here")) + 6;
  std::string option = text.substr(begin, text.find('\n', begin) - begin);
  if (option.starts_with('\'')) option = option.substr(1, option.size() - 2);
  return option;
}

TEST_F(ForeignWordsTest, OfTrainingAreSaidInAPhaseAsTheyAreThere) {
  const std::string phases = "training.phases=[{name: head}, {name: fine_tune}]";
  std::set<std::string> keys;  // that a phase has itself
  for (const FieldDoc& field : Describe<PhaseConfig>()) keys.insert(field.name);
  int of_the_phase = 0;
  for (const ForeignWord& row : ForeignWords()) {
    const std::string word(row.words[0]);
    if (std::ranges::count(row.places, "training") == 0 || keys.contains(word)) continue;
    const Problems problems = Wrong({phases, "training.phases.1." + word + "=yes"});
    ASSERT_EQ(problems.size(), 1u) << word << ": " << problems.text();
    if (row.value.empty()) continue;
    const std::string text = problems.text();
    if (text.find(" is called ") != text.npos) continue;  // the phase's own field knows the word
    const std::string option = OptionIn(text);
    EXPECT_EQ(Wrong({phases, option}).text(), "") << text;
    of_the_phase += option.starts_with("training.phases.1.");
  }
  EXPECT_GT(of_the_phase, 10);
}

// No field of a map is called what another one is called elsewhere.
void CheckNames(const std::vector<FieldDoc>& fields, const std::string& where) {
  std::set<std::string> names;
  const auto add = [&](const std::string& name) {
    EXPECT_TRUE(names.insert(name).second) << name << " twice in " << where;
  };
  for (const FieldDoc& field : fields) {
    add(field.name);
    for (const std::string& old : field.old_names) add(old);
    for (const std::string& word : field.foreign_names) {
      add(word);
      EXPECT_EQ(word, WithUnderscores(word)) << where;
    }
    CheckNames(field.nested, where + "." + field.name);
  }
}

TEST_F(ForeignWordsTest, OfFieldsAreUnknownBesideThem) {
  CheckNames(Describe<Config>(), "the top level");
  CheckNames(DescribeModel(), "model");
  CheckNames(DescribeTraining(), "training");
  for (const std::string& stage : stages_.registry().names()) {
    CheckNames(stages_.registry().Find(stage)->fields, stage);
  }
}

TEST_F(ForeignWordsTest, OfFieldsGiveTheNameHere) {
  const auto check = [&](const std::string& place, const std::vector<FieldDoc>& fields) {
    for (const FieldDoc& field : fields) {
      for (const std::string& word : field.foreign_names) {
        const std::string key = (place.empty() ? "" : place + ".") + word;
        const std::string text = Wrong({key + "=yes"}).text();
        EXPECT_NE(text.find("`" + word + "` is called `" + field.name + "` here\n"), text.npos)
            << text;
      }
    }
  };
  check("", Describe<Config>());
  check("model", DescribeModel());
  check("training", DescribeTraining());
  check("training.optimizer.adam", DescribeTraining()[1].nested[0].nested);
  for (const char* stage : {"directory", "augment", "batch", "mixup", "prefetch"}) {
    check(std::string("pipeline.") + stage, stages_.registry().Find(stage)->fields);
  }
}

TEST_F(ForeignWordsTest, AreShownWithTheirPlace) {
  const auto path = folder_.Write("mine.yaml", std::string(kWhole).substr(1) + kModel +
                                                   "training:\n  lr: 0.01\n  batch_size: 64\n");
  Problems problems;
  LoadRecipe(stages_, path, {}, problems);
  EXPECT_EQ(problems.text(),
            path.string() +
                ":17:3: `lr` is `training.optimizer.adam.learning_rate` here: training: "
                "{optimizer: {adam: {learning_rate: 0.01}}}\n"
                "   17 |   lr: 0.01\n"
                "      |   ^\n" +
                path.string() +
                ":18:3: `batch_size` is `size` of the stage `batch` here: - batch: {size: 64}\n"
                "   18 |   batch_size: 64\n"
                "      |   ^");
}

}  // namespace
}  // namespace weir
