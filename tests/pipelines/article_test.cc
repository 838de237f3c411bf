// The article's job on real pictures: what is promised of it, seen from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

nlohmann::json Json(const fs::path& path) { return nlohmann::json::parse(FileText(path)); }

class ArticleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    train_ = SharedData("data/hymenoptera/train");
    weights_ =
        SharedData("weights/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5");
    if (!train_ || !weights_) GTEST_SKIP() << kNoSharedData;
  }

  // The arguments of a run of two epochs into `out`, and `more`.
  std::vector<std::string> Arguments(const std::string& out,
                                     const std::vector<std::string>& more = {}) const {
    const std::vector<std::string> all = {"run",   "configs/article.yaml",
                                          "--out", (scratch_ / out).string(),
                                          "--set", "pipeline.directory.path=" + train_->string(),
                                          "--set", "model.backbone.weights=" + weights_->string(),
                                          "--set", "training.epochs=2"};
    return Joined(all, more);
  }
  void Run(const std::string& out, const std::vector<std::string>& more = {}) const {
    const ProcessOutcome outcome = Weir(Arguments(out, more));
    ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  }
  std::string Model(const std::string& out) const {
    return FileText(scratch_ / out / "model/model.safetensors");
  }

  ScratchFolder scratch_;
  std::optional<fs::path> train_;
  std::optional<fs::path> weights_;
};

TEST_F(ArticleTest, LearnsWithinItsCeilingAndLeavesAModelThatPredicts) {
  Run("run");
  const auto summary = Json(scratch_ / "run/summary.json");
  EXPECT_GE(summary["best_validation_accuracy"], 0.88);
  EXPECT_LE(summary["peak_rss_anon_bytes"], 256 << 20);
  EXPECT_EQ(summary["dropped"], 0);

  const auto ants = SharedData("data/hymenoptera/val/ants");
  const ProcessOutcome predicted =
      Weir({"predict", (scratch_ / "run").string(), ants->string(), "--top", "1"});
  ASSERT_EQ(predicted.status, 0) << predicted.err;
  std::istringstream lines(predicted.out);
  int pictures = 0, ants_found = 0;
  for (std::string line; std::getline(lines, line); ++pictures) {
    ants_found += line.find(":  ants ") != std::string::npos;
  }
  EXPECT_EQ(pictures, 70);
  EXPECT_GE(ants_found, 56);

  const auto val = SharedData("data/hymenoptera/val");
  const ProcessOutcome evaluated =
      Weir({"evaluate", (scratch_ / "run").string(), val->string(), "--json"});
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  const auto figures = nlohmann::json::parse(evaluated.out);
  EXPECT_GE(figures["accuracy"], 0.85);
  EXPECT_EQ(figures["images"], 153);
  EXPECT_EQ(figures["confusion"][0][0], ants_found);
}

TEST_F(ArticleTest, GivesTheSameModelAtAnyThreadCountAndCeiling) {
  Run("one", {"--set", "threads=1"});
  const std::string model = Model("one");
  ASSERT_FALSE(model.empty());
  Run("two", {"--set", "threads=2", "--memory", "1GiB"});
  EXPECT_TRUE(Model("two") == model);
  Run("four", {"--set", "threads=4"});
  EXPECT_TRUE(Model("four") == model);
  const auto plan = Json(scratch_ / "one/plan.json");
  Run("small", {"--set", "threads=1", "--memory",
                std::to_string((plan["smallest_bytes"].get<std::size_t>() >> 20) + 8) + "MiB"});
  EXPECT_TRUE(Model("small") == model);
  Run("other", {"--set", "seed=2"});
  EXPECT_FALSE(Model("other") == model);
}

TEST_F(ArticleTest, ARunThatIsInterruptedAndGoesOnGivesTheSameModel) {
  Run("whole");
  for (const int signal : {SIGINT, SIGKILL}) {
    const std::string out = "stopped" + std::to_string(signal);
    {
      WeirProcess process(Arguments(out, {"--set", "training.checkpoint_interval=100ms"}));
      process.ReadUntil("epoch 1/2 validation");
      process.Signal(signal);
      const ProcessOutcome outcome = process.Wait();
      ASSERT_EQ(outcome.status, signal == SIGINT ? 130 : 128 + SIGKILL) << outcome.err;
      if (signal == SIGINT) {
        EXPECT_THAT(outcome.err,
                    HasSubstr("the checkpoint is saved\n  Go on with --resume --out "));
      }
    }
    EXPECT_FALSE(fs::exists(scratch_ / out / "model/model.safetensors"));
    Run(out, {"--resume"});
    EXPECT_TRUE(Model(out) == Model("whole")) << "signal " << signal;
    EXPECT_EQ(FileText(scratch_ / out / "metrics.jsonl").find("\"epoch\":1,") != std::string::npos,
              true);
  }
}

TEST_F(ArticleTest, EveryHostilePictureIsUsedOrNamed) {
  const ScratchFolder photos;
  fs::copy(*train_ / "bees", photos / "bees");
  fs::copy(*train_ / "ants", photos / "ants");
  int hostile = 0;
  for (const char* folder : {"hostile/jpeg", "hostile/png", "hostile/jpeg_valid"}) {
    for (const auto& entry : fs::directory_iterator(*SharedData(folder))) {
      const std::string ending = entry.path().extension();
      if (ending != ".jpg" && ending != ".png") continue;
      fs::copy(entry.path(), photos / "ants" / ("x-" + entry.path().filename().string()),
               fs::copy_options::skip_existing);
      ++hostile;
    }
  }
  ASSERT_GT(hostile, 200);
  Run("run",
      {"--set", "pipeline.directory.path=" + photos.path().string(), "--set", "training.epochs=1"});
  std::ifstream lines(scratch_ / "run/dropped.jsonl");
  int dropped = 0;
  for (std::string line; std::getline(lines, line); ++dropped) {
    const auto loss = nlohmann::json::parse(line);
    EXPECT_THAT(loss["path"].get<std::string>(), HasSubstr("/x-"));
    EXPECT_FALSE(loss["reason"].get<std::string>().empty());
  }
  EXPECT_GE(dropped, 20);
  EXPECT_EQ(Json(scratch_ / "run/summary.json")["dropped"], dropped);
  int used = 0;
  std::ifstream metrics(scratch_ / "run/metrics.jsonl");
  for (std::string line; std::getline(metrics, line);) {
    used += nlohmann::json::parse(line)["images"].get<int>();
  }
  int files = 0;
  for (const char* name : {"ants", "bees"}) {
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(photos / name)) ++files;
  }
  EXPECT_EQ(used + dropped, files);
}

TEST_F(ArticleTest, WhatCannotFitIsRefusedBeforeAnythingIsWritten) {
  const ProcessOutcome outcome = Weir(Arguments("run", {"--memory", "64MiB"}));
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("weir: this job does not fit in 64.0 MiB"),
                                 HasSubstr("Raise memory.host (or --memory) to ")));
  EXPECT_FALSE(fs::exists(scratch_ / "run"));
}

}  // namespace
}  // namespace weir
