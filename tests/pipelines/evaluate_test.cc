// How well a model does, and on what it learnt: the metrics of a run and of `evaluate`, and classes
// of which there are few pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/left_by_run.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kMetrics =
    "training.metrics=[accuracy, top_k: {k: 2}, macro_f1, weighted_precision, roc_auc, "
    "average_precision, expected_calibration_error]";

constexpr int kFew = 4;

// The drawn pictures, of the first class few.
class EvaluateTest : public ::testing::Test {
 protected:
  EvaluateTest() {
    fs::copy(DrawnPictures<12>(), scratch_ / "few", fs::copy_options::recursive);
    int kept = 0;
    for (const fs::path& file : DrawnFiles<12>()) {
      const fs::path kind = file.parent_path().filename();
      if (few_.empty()) few_ = scratch_ / "few" / kind;
      if (kind == few_.filename() && kept++ >= kFew) fs::remove(few_ / file.filename());
    }
  }

  std::string path(const std::string& name) const { return (scratch_ / name).string(); }

  std::vector<std::string> Command(const std::string& out,
                                   const std::vector<std::string>& more = {}) const {
    return Joined(
        {"run", "configs/demo.yaml", "--out", path(out), "--set",
         "pipeline.directory.path=" + path("few"), "--set", "pipeline.augment.size=[48, 48]",
         "--set", "pipeline.batch.size=8", "--set", "training.epochs=3"},
        more);
  }
  ProcessOutcome Run(const std::string& out, const std::vector<std::string>& more = {}) const {
    const ProcessOutcome outcome = Weir(Command(out, more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome;
  }
  std::string Weights(const std::string& out) const { return WeightsIn(scratch_ / out); }
  std::vector<json> Lines(const std::string& out) const { return MetricsIn(scratch_ / out); }

  const ScratchFolder scratch_;
  fs::path few_;  // the folder of the class of which there are few
};

TEST_F(EvaluateTest, WithoutDataMeasuresWhatTheRunValidatedWith) {
  Run("run", {"--set", kMetrics});
  const std::vector<json> lines = Lines("run");
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines.front()["epoch"], 1);
  EXPECT_EQ(lines.front()["split"], "train");
  EXPECT_FALSE(lines.front().contains("roc_auc"));
  const json& last = lines.back();
  EXPECT_EQ(last["epoch"], 3);

  const ProcessOutcome outcome = Weir({"evaluate", path("run"), "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const json figures = json::parse(outcome.out);
  EXPECT_EQ(figures["images"], last["images"]);
  EXPECT_EQ(figures["accuracy"], last["accuracy"]);
  for (const char* name : {"accuracy", "top_2", "macro_f1", "weighted_precision", "roc_auc",
                           "average_precision", "expected_calibration_error"}) {
    // Layers of the backbone that learn give other last bits where nothing learns.
    EXPECT_NEAR(figures[name].get<double>(), last[name].get<double>(), 1e-6) << name;
    const json& metric = figures["metrics"][name];
    EXPECT_EQ(metric["value"], figures[name]) << name;
    EXPECT_LE(metric["low"], metric["high"]) << name;
  }
  EXPECT_DOUBLE_EQ(figures["macro"]["f1"].get<double>(), figures["macro_f1"].get<double>());
  EXPECT_DOUBLE_EQ(figures["weighted"]["recall"].get<double>(), figures["accuracy"].get<double>());

  // The same each time, and on one thread.
  EXPECT_EQ(Weir({"evaluate", path("run"), "--json", "--set", "threads=1"}).out, outcome.out);
  const ProcessOutcome text = Weir({"evaluate", path("run"), "--resamples", "50"});
  EXPECT_THAT(text.out, AllOf(HasSubstr(" pictures: accuracy 0."), HasSubstr(" to "),
                              HasSubstr("where 95 % of 50 resamples of the pictures lie\n"),
                              HasSubstr("\nmacro mean "), HasSubstr("\nweighted mean ")));
  const ProcessOutcome plain = Weir({"evaluate", path("run"), "--resamples", "0", "--json"});
  EXPECT_FALSE(json::parse(plain.out)["metrics"]["accuracy"].contains("low"));
}

TEST_F(EvaluateTest, WithoutDataGivesTheBitsOfValidationWhereTheBackboneIsFrozen) {
  Run("run", {"--set", kMetrics, "--set", "model.frozen=all"});
  const json last = Lines("run").back();
  const json figures = json::parse(Weir({"evaluate", path("run"), "--json"}).out);
  for (const char* name : {"images", "loss", "accuracy", "top_2", "macro_f1", "weighted_precision",
                           "roc_auc", "average_precision", "expected_calibration_error"}) {
    EXPECT_EQ(figures[name], last[name]) << name;
  }
}

TEST_F(EvaluateTest, SaysOnceWhatCannotBeComputed) {
  // A table that validates with pictures of one class alone.
  std::ofstream table(path("t.csv"));
  table << "file,kind,part\n";
  for (const fs::path& file : DrawnFiles<12>()) {
    const std::string kind = file.parent_path().filename();
    const bool is_first = kind == few_.filename().string();
    const bool validates = is_first && file.filename().string().find('1') != std::string::npos;
    table << '"' << file.string() << "\"," << kind << ',' << (validates ? "validation" : "train")
          << '\n';
  }
  table.close();
  scratch_.Write("job.yaml", R"(pipeline:
  - manifest: {path: t.csv, path_column: file, label_column: kind, split_column: part}
  - decode
  - augment: {size: [32, 32]}
  - batch: {size: 8}
  - features
  - train
model:
  backbone: {name: mobilenet_v2, width: 0.35, weights: none}
  frozen: all
  head: [global_average_pooling, dense: {units: classes, activation: softmax}]
training: {epochs: 2, metrics: [roc_auc]}
)");
  const ProcessOutcome outcome = Weir({"run", path("job.yaml"), "--out", path("run")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string said = "\nroc_auc cannot be computed: it needs pictures of two classes\n";
  const std::size_t at = outcome.out.find(said);
  ASSERT_NE(at, std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find(said, at + 1), std::string::npos);
  EXPECT_THAT(outcome.out, HasSubstr("  roc_auc -  "));
  EXPECT_TRUE(Lines("run")[1]["roc_auc"].is_null());
  EXPECT_TRUE(Lines("run")[1].contains("roc_auc"));
  // The features of the second epoch are there already.
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("epoch 2/2 train "), HasSubstr("  kept\n")));

  const ProcessOutcome evaluated = Weir({"evaluate", path("run"), "--json"});
  EXPECT_EQ(evaluated.err, "weir: roc_auc cannot be computed: it needs pictures of two classes\n");
  EXPECT_TRUE(json::parse(evaluated.out)["roc_auc"].is_null());
  EXPECT_TRUE(json::parse(evaluated.out)["metrics"]["roc_auc"]["low"].is_null());
}

TEST_F(EvaluateTest, WithoutDataRefusesARunThatDidNotValidate) {
  Run("run", {"--set", "pipeline.directory.validation_split=0", "--set",
              "pipeline.directory.stratified=false", "--set", "training.epochs=1"});
  const ProcessOutcome outcome = Weir({"evaluate", path("run")});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_EQ(
      scratch_.Shortened(outcome.err),
      "weir: $/run kept no pictures to validate with\n"
      "  Name labelled pictures behind it: a folder with a sub-folder for each class, a table, "
      "or shards.\n");
  EXPECT_EQ(Weir({"evaluate", path("run"), "--source", "a=b"}).status, 2);
}

TEST_F(EvaluateTest, WithoutDataRefusesOtherClassesThanTheModels) {
  Run("run", {"--set", "training.epochs=1"});
  fs::copy(few_, scratch_ / "few/zebra", fs::copy_options::recursive);
  const ProcessOutcome outcome = Weir({"evaluate", path("run")});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_EQ(scratch_.Shortened(outcome.err),
            "weir: the pictures of the run have other classes now than its model: 'zebra' is new\n"
            "  Put them back as they were, or name labelled pictures behind the run.\n");
}

// Among others there may be such that it learnt from.
TEST_F(EvaluateTest, WithoutDataRefusesOtherPicturesThanThoseThatItValidatedWith) {
  Run("run", {"--set", "training.epochs=1"});
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(few_)) files.push_back(entry.path());
  for (const fs::path& file : files) fs::copy_file(file, few_ / ("a" + file.filename().string()));
  const ProcessOutcome outcome = Weir({"evaluate", path("run")});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(scratch_.Shortened(outcome.err),
              testing::ContainsRegex("weir: the pictures of \\$/run are others now than those that "
                                     "it validated with: [0-9]+, sha256 [0-9a-f]+, and [0-9]+, "
                                     "sha256 [0-9a-f]+ now\n"));
}

TEST_F(EvaluateTest, BalancedWeightsAreThoseOfTheCountsAndGoOnAfterAStop) {
  const std::vector<std::string> balanced = {"--set", "training.class_weight=balanced"};
  Run("plain");
  Run("whole", balanced);
  EXPECT_FALSE(Weights("plain") == Weights("whole"));

  // n / (classes * n of the class), of what is left to train on.
  const std::string name = few_.filename().string();
  std::string weights = "training.class_weight={";
  const json per_class = json::parse(FileText(scratch_ / "whole/model/model.json"))["classes"];
  const double classes = static_cast<double>(per_class.size());
  double pictures = 0;
  const auto trained = [&](const std::string& of) {
    return of == name ? 3 : 9;
  };  // 0.3 of each class validate
  for (const json& of : per_class) pictures += trained(of);
  char text[100];
  for (const json& of : per_class) {
    std::snprintf(text, sizeof text, "%s'%s': %.17g", weights.ends_with('{') ? "" : ", ",
                  of.get<std::string>().c_str(), pictures / (classes * trained(of)));
    weights += text;
  }
  Run("named", {"--set", weights + "}"});
  EXPECT_TRUE(Weights("named") == Weights("whole")) << weights;

  WeirProcess process(Command("stopped", Joined(balanced, {"--set", "training.epochs=40"})));
  process.ReadUntil("epoch 1/40 train");
  process.Signal(SIGINT);
  ASSERT_EQ(process.Wait().status, 130);
  Run("stopped", Joined(balanced, {"--set", "training.epochs=40", "--resume"}));
  Run("on", Joined(balanced, {"--set", "training.epochs=40", "--set", "threads=1"}));
  EXPECT_TRUE(Weights("stopped") == Weights("on"));
}

TEST_F(EvaluateTest, AWeightForAClassThatIsNotThereIsRefusedBeforeAnythingRuns) {
  const ProcessOutcome outcome =
      Weir(Command("run", {"--set", "training.class_weight={nobody: 2}"}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err,
              HasSubstr("--set training.class_weight={nobody: 2}: `class_weight` names 'nobody', "
                        "which is no class of the pictures\n"));
  EXPECT_FALSE(fs::exists(scratch_ / "run"));
}

}  // namespace
}  // namespace weir
