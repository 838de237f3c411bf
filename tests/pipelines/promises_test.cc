// What the README promises, seen from outside: on weir's own pictures and weights, which are there
// everywhere, and on the article's job where its photos are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

nlohmann::json Json(const fs::path& path) { return nlohmann::json::parse(FileText(path)); }

// A job that the promises are held to.
struct Job {
  std::string name;
  std::string configuration;
  std::string epochs;
  std::size_t ceiling_bytes;  // what the configuration states
  double accuracy;            // what validation reaches at least
  std::string too_small;      // a ceiling that it does not fit in
};

constexpr int kDrawnOfAClass = 40;

const Job kDrawn = {.name = "Drawn",
                    .configuration = "configs/demo.yaml",
                    .epochs = "4",
                    .ceiling_bytes = std::size_t{192} << 20,
                    .accuracy = 0.6,
                    .too_small = "20MiB"};
const Job kPhotos = {.name = "Photos",
                     .configuration = "configs/article.yaml",
                     .epochs = "2",
                     .ceiling_bytes = std::size_t{256} << 20,
                     .accuracy = 0.88,
                     .too_small = "64MiB"};

class Promises : public ::testing::TestWithParam<Job> {
 protected:
  void SetUp() override {
    if (is_drawn()) {
      pictures_ = DrawnPictures<kDrawnOfAClass>();
      return;
    }
    const auto photos = SharedData("data/hymenoptera/train");
    const auto weights =
        SharedData("weights/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5");
    if (!photos || !weights) GTEST_SKIP() << kNoSharedData;
    pictures_ = *photos;
    weights_ = {"--set", "model.backbone.weights=" + weights->string()};
  }

  bool is_drawn() const { return GetParam().name == kDrawn.name; }

  std::vector<std::string> Arguments(const std::string& out,
                                     const std::vector<std::string>& more = {}) const {
    const std::vector<std::string> all = {"run",   GetParam().configuration,
                                          "--out", (scratch_ / out).string(),
                                          "--set", "pipeline.directory.path=" + pictures_.string(),
                                          "--set", "training.epochs=" + GetParam().epochs};
    return Joined(Joined(all, weights_), more);
  }
  void Run(const std::string& out, const std::vector<std::string>& more = {}) const {
    const ProcessOutcome outcome = Weir(Arguments(out, more));
    ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  }
  std::string Model(const std::string& out) const {
    return FileText(scratch_ / out / "model/model.safetensors");
  }

  ScratchFolder scratch_;
  fs::path pictures_;
  std::vector<std::string> weights_;
};

TEST_P(Promises, TheCeilingHoldsAndTheJobLearns) {
  Run("run");
  const auto summary = Json(scratch_ / "run/summary.json");
  EXPECT_GE(summary["best_validation_accuracy"], GetParam().accuracy);
  EXPECT_LE(summary["peak_rss_anon_bytes"], GetParam().ceiling_bytes);
  EXPECT_LE(summary["peak_budget_bytes"], summary["planned_bytes"]);
  EXPECT_LE(summary["planned_bytes"], GetParam().ceiling_bytes);
  EXPECT_EQ(summary["dropped"], 0);
}

TEST_P(Promises, WhatCannotFitIsRefusedBeforeAnythingIsWritten) {
  const std::string ceiling = GetParam().too_small;
  const ProcessOutcome outcome = Weir(Arguments("run", {"--memory", ceiling}));
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("weir: this job does not fit in "),
                                 HasSubstr("Raise memory.host (or --memory) to ")));
  EXPECT_FALSE(fs::exists(scratch_ / "run"));
}

TEST_P(Promises, TheSameNumbersAtAnyCeilingAndAnyNumberOfThreads) {
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
  Run("other", {"--set", "seed=3"});
  EXPECT_FALSE(Model("other") == model);
}

TEST_P(Promises, NothingIsLostAndARunThatGoesOnGivesTheSameModel) {
  Run("whole");
  for (const int signal : {SIGINT, SIGKILL}) {
    const std::string out = "stopped" + std::to_string(signal);
    {
      WeirProcess process(Arguments(out, {"--set", "training.checkpoint_interval=100ms"}));
      process.ReadUntil("epoch 1/" + GetParam().epochs + " validation");
      process.Signal(signal);
      const ProcessOutcome outcome = process.Wait();
      ASSERT_EQ(outcome.status, signal == SIGINT ? 130 : 128 + SIGKILL) << outcome.err;
      if (signal == SIGINT) {
        EXPECT_THAT(outcome.err,
                    HasSubstr("the checkpoint is saved\n  Go on with --resume --out "));
      }
    }
    Run(out, {"--resume"});
    EXPECT_TRUE(Model(out) == Model("whole")) << "signal " << signal;
    EXPECT_THAT(FileText(scratch_ / out / "metrics.jsonl"), HasSubstr("\"epoch\":1,"));
  }
}

// Puts pictures that no reader can use, and some that only look so, into `folder`; how many.
int AddHostileFromShared(const fs::path& folder) {
  int count = 0;
  for (const char* hostile : {"hostile/jpeg", "hostile/png", "hostile/jpeg_valid"}) {
    for (const auto& entry : fs::directory_iterator(*SharedData(hostile))) {
      const std::string ending = entry.path().extension();
      if (ending != ".jpg" && ending != ".png") continue;
      count += fs::copy_file(entry.path(), folder / ("x-" + entry.path().filename().string()),
                             fs::copy_options::skip_existing);
    }
  }
  return count;
}

// The same made of a picture that is right.
int AddDamaged(const std::string& picture, const fs::path& folder) {
  int count = 0;
  const auto write = [&](const std::string& bytes) {
    std::ofstream(folder / ("x-" + std::to_string(count++) + ".jpg"), std::ios::binary) << bytes;
  };
  for (int part = 0; part < 20; ++part) write(picture.substr(0, picture.size() * part / 20));
  for (std::size_t at = 0; at < 200; at += 10) {  // its header, a byte at a time
    std::string damaged = picture;
    damaged[at] = static_cast<char>(~damaged[at]);
    write(damaged);
  }
  write("not a picture");
  write(std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\2\0\0\0", 29));
  return count;
}

TEST_P(Promises, NoBadPictureStopsARunAndNoneIsTrainedOnSilently) {
  const ScratchFolder photos;
  fs::copy(pictures_, photos.path(), fs::copy_options::recursive);
  const fs::path folder = photos / (is_drawn() ? "tree" : "ants");
  const int hostile = is_drawn()
                          ? AddDamaged(FileText(DrawnFiles<kDrawnOfAClass>().front()), folder)
                          : AddHostileFromShared(folder);
  ASSERT_GE(hostile, 40);
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
  const auto summary = Json(scratch_ / "run/summary.json");
  EXPECT_EQ(summary["dropped"], dropped);
  int used = 0, left_out = 0;
  std::ifstream metrics(scratch_ / "run/metrics.jsonl");
  for (std::string line; std::getline(metrics, line);) {
    used += nlohmann::json::parse(line)["images"].get<int>();
  }
  for (const auto& kind : summary["left_out"]) left_out += kind.get<int>();
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(photos.path())) {
    files += entry.is_regular_file() && entry.path().filename().string().front() != '.';
  }
  EXPECT_EQ(used + dropped + left_out, files);
}

const auto kName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(, Promises, testing::Values(kDrawn, kPhotos), kName);

}  // namespace
}  // namespace weir
