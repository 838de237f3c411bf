// Phases and early stopping, as a person runs them (killed_run_test.cc: that a run which is killed
// goes on to the same bytes).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/pipelines/training_run.h"
#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class Phases : public TrainingRun {};

constexpr const char* kTwoPhases =
    "{keep: best, monitor: loss, early_stopping: {patience: 3}, phases: ["
    "{name: head, epochs: 4, optimizer: {adam: {learning_rate: 0.01}}}, "
    "{name: fine_tune, epochs: 3, frozen: {through: block_15}, "
    "optimizer: {sgd: {learning_rate: 0.001, momentum: 0.9}}}]}";

TEST_F(Phases, FollowOneAnotherAndTheBestModelOfAllIsKept) {
  Write("job", kTwoPhases);
  const ProcessOutcome outcome = Run("job");
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("\nphase 1 of 2, head: "), HasSubstr("\nphase 2 of 2, fine_tune: "),
                    HasSubstr("\nepoch 5/7 train "), HasSubstr("\nepoch 7/7 validation ")));
  const auto validations = Metrics("job", "validation");
  ASSERT_EQ(validations.size(), 7u);
  EXPECT_EQ(validations[3]["phase"], "head");
  EXPECT_EQ(validations[4]["phase"], "fine_tune");
  const auto plan = nlohmann::json::parse(FileText(Out("job") / "plan.json"));
  EXPECT_EQ(plan["phases"].size(), 2u);
  std::size_t best = 0;
  for (std::size_t i = 1; i < validations.size(); ++i) {
    if (validations[i]["loss"] < validations[best]["loss"]) best = i;
  }
  const auto kept = Summary("job")["kept"];
  EXPECT_EQ(kept["epoch"], best + 1);
  EXPECT_EQ(kept["as"], "best loss");
  EXPECT_EQ(kept["validation"]["loss"], validations[best]["loss"]);
  EXPECT_EQ(nlohmann::json::parse(FileText(Out("job") / "model/model.json"))["kept"], kept);
  EXPECT_THAT(outcome.out, ContainsRegex("\nmodel: [^\n]+, of epoch " + std::to_string(best + 1) +
                                         ", the best loss: validation loss [0-9.]+  accuracy "));
}

TEST_F(Phases, EndEarlyWhereNothingGetsBetter) {
  Write("job",
        "{epochs: 9, monitor: loss, early_stopping: {patience: 2, min_delta: 100}, phases: ["
        "{name: a}, {name: b, epochs: 2}]}");
  const ProcessOutcome outcome = Run("job");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("\nepoch 3/11 validation: loss has not become better for 2 epochs, and "
                      "epochs 4 to 9 are left out\n"),
            HasSubstr("\nepoch 4/5 train ")));
  EXPECT_EQ(Metrics("job", "train").size(), 5u);
  const ProcessOutcome again = Run("job", {"--resume"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(Metrics("job", "train").size(), 5u) << "it stays ended";
}

TEST_F(Phases, GiveTheSameModelAtAnyCeilingAndAnyNumberOfThreads) {
  Write("one", "{ema: {decay: 0.9}, " + std::string(kTwoPhases).substr(1));
  ASSERT_EQ(Run("one", {"--set", "threads=1"}).status, 0);
  const auto plan = nlohmann::json::parse(FileText(Out("one") / "plan.json"));
  std::size_t most = 0;  // of the smallest ceilings of its phases
  for (const auto& phase : plan["phases"]) {
    most = std::max(most, phase["smallest_bytes"].get<std::size_t>());
  }
  const std::string smallest = std::to_string((most >> 20) + 4) + "MiB";  // beside what varies
  int runs = 0;
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--set", "threads=4"},
        std::vector<std::string>{"--set", "threads=1", "--memory", smallest}}) {
    const std::string out = "other" + std::to_string(runs++);
    const ProcessOutcome outcome =
        Weir(Joined({"run", (scratch_ / "one.yaml").string(), "--out", Out(out).string()}, more));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(Model(out) == Model("one")) << out;
  }
}

// In the second phase the head goes on from where the first one left it.
TEST_F(Phases, BeginWithWhatTheOneBeforeLearnt) {
  Write("whole",
        "{keep: last, phases: [{name: a, epochs: 2}, {name: b, epochs: 2, "
        "optimizer_state: keep}]}");
  Write("one", "{keep: last, epochs: 4}");
  ASSERT_EQ(Run("whole").status, 0);
  ASSERT_EQ(Run("one").status, 0);
  EXPECT_TRUE(Weights("whole") == Weights("one")) << "two phases that change nothing are one";
  Write("reset", "{keep: last, phases: [{name: a, epochs: 2}, {name: b, epochs: 2}]}");
  ASSERT_EQ(Run("reset").status, 0);
  EXPECT_FALSE(Weights("reset") == Weights("one")) << "the optimizer begins anew";
}

TEST_F(Phases, ThePlanHasABillForEach) {
  const std::string job = Write("job", kTwoPhases).string();
  const ProcessOutcome text = Weir({"plan", job});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("\nphase head\n"), HasSubstr("\nphase fine_tune\n"),
                              HasSubstr("\nThe largest is the bill of phase `fine_tune`: ")));
  const auto plan = nlohmann::json::parse(Weir({"plan", job, "--json"}).out);
  ASSERT_EQ(plan["phases"].size(), 2u);
  EXPECT_EQ(plan["phase"], "fine_tune");
  EXPECT_EQ(plan["peak_bytes"], plan["phases"][1]["peak_bytes"]);
  EXPECT_LT(plan["phases"][0]["peak_bytes"], plan["phases"][1]["peak_bytes"]);
  const std::size_t enough_for_the_first =
      (plan["phases"][0]["smallest_bytes"].get<std::size_t>() >> 20) + 2;  // beside what varies
  const ProcessOutcome tight = Weir({"run", job, "--out", Out("tight").string(), "--memory",
                                     std::to_string(enough_for_the_first) + "MiB"});
  EXPECT_EQ(tight.status, 3);
  EXPECT_THAT(tight.err, HasSubstr("weir: phase `fine_tune`: this job does not fit in "));
  EXPECT_FALSE(fs::exists(Out("tight"))) << "refused before the first phase";
}

TEST_F(Phases, AreGoneOnWithAfterTheyAreDone) {
  for (const std::string keep : {"best", "last"}) {
    Write(keep, "{keep: " + keep + ", monitor: loss, epochs: 3}");
    ASSERT_EQ(Run(keep).status, 0);
    const std::string model = Model(keep), summary = Summary(keep)["kept"].dump();
    ASSERT_EQ(Run(keep, {"--resume"}).status, 0);
    EXPECT_TRUE(Model(keep) == model) << "nothing was left to train";
    EXPECT_EQ(Summary(keep)["kept"].dump(), summary);
    ASSERT_EQ(Run(keep, {"--resume", "--set", "training.epochs=5"}).status, 0);
    Write(keep + "5", "{keep: " + keep + ", monitor: loss, epochs: 5}");
    ASSERT_EQ(Run(keep + "5").status, 0);
    EXPECT_TRUE(Model(keep) == Model(keep + "5")) << keep;
  }
  // Another rule holds from there on.
  ASSERT_EQ(Run("best", {"--resume", "--set", "training.keep=last"}).status, 0);
  EXPECT_EQ(Summary("best")["kept"]["as"], "last");
  const ProcessOutcome again = Run("best", {"--resume"});
  EXPECT_EQ(again.status, 0) << again.err;
}

TEST_F(Phases, MeasureAnAverageFromItsFirstEpochOn) {
  Write("job", "{epochs: 4, swa: {from: 3}}");
  ASSERT_EQ(Run("job").status, 0);
  std::vector<int> measured, averaged;
  for (const auto& line : Metrics("job", "validation")) {
    (line.contains("weights") ? averaged : measured).push_back(line["epoch"]);
  }
  EXPECT_EQ(measured, (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(averaged, (std::vector{3, 4}));
}

// A training without phases lists its pictures once, too.
TEST_F(Phases, LearnFromThePicturesThatWereListedAtFirst) {
  const fs::path pictures = scratch_ / "pictures";
  fs::copy(DrawnPictures<8>(), pictures, fs::copy_options::recursive);
  scratch_.Write("job.yaml",
                 TrainingYaml({.source = "directory: {path: " + pictures.string() +
                                         ", validation_split: 0.25}",
                               .features = "features: {cache: off}",
                               .training = "{phases: [{name: a, epochs: 60}, {name: b, epochs: 1}, "
                                           "{name: c, epochs: 1}]}"}));
  WeirProcess process(Command("job"));
  process.ReadUntil("epoch 1/62 train");
  process.Signal(SIGSTOP);  // so that no phase begins before the pictures are gone
  for (const auto& of_class : fs::directory_iterator(pictures)) {
    if (!of_class.is_directory()) continue;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(of_class)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    fs::remove(files.back());  // not one of those that are kept for validation
  }
  process.Signal(SIGCONT);
  const ProcessOutcome outcome = process.Wait();
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  const auto lines = Metrics("job", "train");
  ASSERT_EQ(lines.size(), 62u);
  EXPECT_EQ(lines[59]["images"], lines[60]["images"]);
  EXPECT_EQ(lines[60]["images"], lines[61]["images"]);
  EXPECT_THAT(outcome.out, HasSubstr(" pictures could not be used: "));
}

TEST_F(Phases, KeepTheirFeaturesWhereverThatIsAsked) {
  Write("job", kTwoPhases);
  for (const std::string place : {"memory", "file", "off"}) {
    const ProcessOutcome outcome =
        Weir({"run", (scratch_ / "job.yaml").string(), "--out", Out(place).string(), "--set",
              "pipeline.features.cache=" + place, "--set", "pipeline.augment.variants=2"},
             {.environment = {"WEIR_CACHE=" + (scratch_ / "cache").string()}});
    ASSERT_EQ(outcome.status, 0) << place << outcome.err;
    EXPECT_TRUE(Model(place) == Model("memory")) << place;
  }
}

struct Refused {
  std::string training;
  std::string message;
  std::string validation = "validation_split: 0.25";
};

TEST_F(Phases, RefuseWhatMakesNoSense) {
  const std::vector<Refused> all = {
      {"{phases: [{name: a, epochs: 0}]}", "`epochs` takes 1 or more, not 0"},
      {"{phases: [{epochs: 1}]}", "missing required key `name` in phases[0]"},
      {"{phases: []}", "`phases` takes at least one phase; leave it out for one"},
      {"{phases: [{name: a}, {name: a}]}", "there is a phase `a` before it: give it another name"},
      {"{phases: [{name: a, keep: last}]}", "unknown key `keep` in phases[0]"},
      {"{phases: [{name: a, optimizer_state: keep}]}",
       "the first phase has no optimizer's state to keep"},
      {"{phases: [{name: a}, {name: b, optimizer: sgd, optimizer_state: keep}]}",
       "`keep` needs the optimizer of the phase before, which is adam, and this is sgd"},
      {"{phases: [{name: a, frozen: {through: block_99}}]}", "block_99"},
      {"{early_stopping: {patience: 0}}", "`patience` takes 1 or more, not 0"},
      {"{early_stopping: {min_delta: 1}}", "missing required key `patience` in early_stopping"},
      {"{early_stopping: {patience: 1, min_delta: -1}}", "`min_delta` takes 0 or more, not -1"},
      {"{monitor: auc}", "`monitor` takes loss or one of `metrics`, and `auc` is not measured"},
      {"{keep: first}", "`keep` takes auto or best or last, not `first`"},
      {"{keep: best}",
       "training.keep: best goes by the figures of validation, and there are no pictures to "
       "validate with",
       ""},
      {"{phases: [{name: a}, {name: b, early_stopping: {patience: 1}}]}",
       "training.early_stopping goes by the figures of validation, and there are no pictures to "
       "validate with",
       ""},
  };
  for (const Refused& each : all) {
    Write("job", each.training, each.validation);
    const ProcessOutcome outcome = Run("job");
    EXPECT_EQ(outcome.status, 2) << each.training;
    EXPECT_THAT(outcome.err, HasSubstr(each.message)) << each.training;
    EXPECT_FALSE(fs::exists(Out("job"))) << each.training;
  }
}

TEST_F(Phases, APhaseThatIsGoneIsNotGoneOnWith) {
  Write("job", kTwoPhases);
  ASSERT_EQ(Run("job").status, 0);
  Write("job", "{phases: [{name: head, epochs: 4}]}");
  const ProcessOutcome outcome = Run("job", {"--resume"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err,
              HasSubstr("the checkpoint is of phase 2, `fine_tune`, which training.phases does not "
                        "have there"));
}

}  // namespace
}  // namespace weir
