#include "framework/config/foreign_word.h"

#include <gtest/gtest.h>

#include "framework/config/override.h"
#include "tests/framework/config/yaml_text.h"

namespace weir {
namespace {

const std::vector<ForeignWord> kRows = {
    {{"", "training"}, {"batch_size"}, "pipeline.batch.size", "32"},
    {{"training.optimizer.*"}, {"schedule"}, "training.schedule", "cosine"},
    {{""}, {"drop"}, "model.head", "[{dropout: {rate: 0.2}}]", "is a layer of the head here"},
    {{""}, {"class_mode"}, "", "", "is not asked for here"},
    {{""}, {"pin_memory"}, "pipeline.prefetch"},
};

struct Rate {
  double learning_rate = 1;
  int units = 1;

  static auto Fields() {
    return std::tuple{
        Field{"learning_rate", &Rate::learning_rate, "The size of a step.",
              ElsewhereCalled{"lr", "base_lr"}},
        Field{"units", &Rate::units, "How many.", Required{}, ElsewhereCalled{"out_features"}}};
  }
};

// What is wrong with `text`, without the line that is shown.
std::string Wrong(const std::string& text) {
  Problems problems;
  problems.set_foreign_words(kRows);
  const YamlNode node = YamlOf(text, problems);
  Parse<Rate>(node, problems);
  std::string messages;
  for (const std::string& message : problems.messages()) {
    messages += message.substr(0, message.find('\n')) + "\n";
  }
  return messages;
}

TEST(ElsewhereCalled, GivesTheNameHere) {
  EXPECT_EQ(ProblemsOf<Rate>("{units: 3, lr: 0.1}"),
            "a.yaml:1:12: `lr` is called `learning_rate` here\n"
            "    1 | {units: 3, lr: 0.1}\n"
            "      |            ^");
  EXPECT_EQ(Wrong("{units: 3, base-lr: 0.1}"),
            "a.yaml:1:12: `base-lr` is called `learning_rate` here\n");
}

TEST(ElsewhereCalled, DoesNotMissWhatIsThereUnderAnotherName) {
  EXPECT_EQ(Wrong("out_features: 3"), "a.yaml:1:1: `out_features` is called `units` here\n");
}

TEST(ElsewhereCalled, IsInTheHelp) {
  EXPECT_EQ(Describe<Rate>()[0].foreign_names, (std::vector<std::string>{"lr", "base_lr"}));
  EXPECT_FALSE(SchemaOf<Rate>().Find("properties")->Find("lr"));
}

TEST(ForeignWord, SaysWhatItIsHereAndHowThatIsWritten) {
  EXPECT_EQ(Wrong("{units: 3, batch_size: 64}"),
            "a.yaml:1:12: `batch_size` is `size` of the stage `batch` here: - batch: {size: 64}\n");
  EXPECT_EQ(Wrong("{units: 3, batch-size: many}"),
            "a.yaml:1:12: `batch-size` is `size` of the stage `batch` here: - batch: {size: 32}\n");
  EXPECT_EQ(Wrong("{units: 3, drop: 0.5}"),
            "a.yaml:1:12: `drop` is a layer of the head here: model: {head: [{dropout: {rate: "
            "0.2}}]}\n");
  EXPECT_EQ(Wrong("{units: 3, class_mode: binary}"),
            "a.yaml:1:12: `class_mode` is not asked for here\n");
  EXPECT_EQ(Wrong("{units: 3, pin_memory: true}"),
            "a.yaml:1:12: `pin_memory` is the stage `prefetch` here: - prefetch\n");
}

TEST(ForeignWord, IsWrittenAsAnOptionWhereItStoodInOne) {
  Problems problems;
  problems.set_foreign_words(kRows);
  YamlNode tree = YamlOf("units: 3", problems);
  for (const char* option : {"batch_size=64", "drop=0.5"}) {
    tree = ApplyOverride(tree, option, problems);
  }
  Parse<Rate>(tree, problems);
  EXPECT_EQ(problems.text(),
            "--set batch_size=64: `batch_size` is `size` of the stage `batch` here: --set "
            "pipeline.batch.size=64\n"
            "  --set batch_size=64\n"
            "        ^\n"
            "--set drop=0.5: `drop` is a layer of the head here: --set "
            "'model.head=[{dropout: {rate: 0.2}}]'\n"
            "  --set drop=0.5\n"
            "        ^");
}

const std::vector<ForeignWord> kRowsOfTraining = {
    {{"training"}, {"lr"}, "training.optimizer.adam.learning_rate", "0.001"},
    {{"training"}, {"output_dir"}, "", "", "is given on the command line here"},
    {{"training"}, {"save_best"}, "training.keep", "best"},
    {{"training.optimizer.adam"}, {"betas"}, "training.optimizer.adam", "{beta_1: 0.9}"},
};

TEST(ForeignWord, InAnItemOfAListIsSaidAsItIsThere) {
  const std::vector<std::string> keys = {"name", "optimizer"};
  const auto advice = [&](std::string_view place, std::string_view word, AdviceForm form) {
    const ForeignWord* const row = FindForeignWord(kRowsOfTraining, place, word);
    return row ? AdviceOn(*row, word, "0.1", form, ItemThatHas(*row, place, keys)) : "";
  };
  EXPECT_EQ(advice("training.phases.1", "lr", AdviceForm::kYaml),
            "`lr` is `optimizer.adam.learning_rate` of phases[1] here: optimizer: {adam: "
            "{learning_rate: 0.1}}");
  EXPECT_EQ(advice("training.phases.1", "lr", AdviceForm::kOption),
            "`lr` is `optimizer.adam.learning_rate` of phases[1] here: --set "
            "training.phases.1.optimizer.adam.learning_rate=0.1");
  EXPECT_EQ(advice("training.phases.1", "save_best", AdviceForm::kYaml),
            "`save_best` is `training.keep` here: training: {keep: best}")
      << "what the item has not is said as it is elsewhere";
  EXPECT_EQ(advice("training.phases.1", "output_dir", AdviceForm::kYaml),
            "`output_dir` is given on the command line here");
  EXPECT_EQ(advice("training.phases.0.optimizer.adam", "betas", AdviceForm::kYaml),
            "`betas` is `training.optimizer.adam` here: training: {optimizer: {adam: {beta_1: "
            "0.9}}}");
  EXPECT_EQ(advice("phases.1", "lr", AdviceForm::kYaml), "");
  EXPECT_EQ(advice("training.phases.x1", "lr", AdviceForm::kYaml), "");
  EXPECT_EQ(advice("training.phases.", "lr", AdviceForm::kYaml), "");
}

TEST(ForeignWord, IsFoundOnlyInItsPlaces) {
  EXPECT_NE(FindForeignWord(kRows, "training", "batch_size"), nullptr);
  EXPECT_EQ(FindForeignWord(kRows, "model", "batch_size"), nullptr);
  EXPECT_NE(FindForeignWord(kRows, "training.optimizer.sgd", "schedule"), nullptr);
  EXPECT_EQ(FindForeignWord(kRows, "training.optimizer", "schedule"), nullptr);
  EXPECT_EQ(FindForeignWord(kRows, "training.optimizer.sgd.more", "schedule"), nullptr);
  EXPECT_EQ(FindForeignWord({}, "", "batch_size"), nullptr);
}

}  // namespace
}  // namespace weir
