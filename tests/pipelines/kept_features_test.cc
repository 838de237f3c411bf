// Runs that keep the features of the frozen part, seen from outside: the same model, and what is
// made again when something changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/file_text.h"
#include "tests/support/left_by_run.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using Texts = std::vector<std::string>;

constexpr int kClasses = 6;
constexpr int kPerClass = 10;
constexpr int kValidation = 2;  // pictures of each class
constexpr int kEpochs = 5;
constexpr int kPictures = kClasses * kPerClass;
constexpr int kTrained = kClasses * (kPerClass - kValidation);

class KeptFeaturesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const ProcessOutcome drawn =
        Weir({"draw", (scratch_ / "pictures").string(), "--per-class", std::to_string(kPerClass)});
    ASSERT_EQ(drawn.status, 0) << drawn.err;
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(scratch_ / "pictures")) {
      if (entry.is_directory()) folders.push_back(entry.path());
    }
    ASSERT_EQ(folders.size(), static_cast<std::size_t>(kClasses));
    // One that is dropped, in the training part: the last of a class.
    std::ofstream(folders.front() / "zz-broken.jpg") << "no picture";
  }

  ProcessOutcome Outcome(const std::string& out, const Texts& more) const {
    const Texts all = {"run",   "configs/demo.yaml",
                       "--out", (scratch_ / out).string(),
                       "--set", "pipeline.directory.path=" + (scratch_ / "pictures").string(),
                       "--set", "pipeline.directory.stratified=false",
                       "--set", "pipeline.directory.validation_split=0.2",
                       "--set", "pipeline.batch.size=7",
                       "--set", "training.epochs=" + std::to_string(kEpochs)};
    return Weir(Joined(all, more),
                {.environment = {"WEIR_CACHE=" + (scratch_ / "cache").string()}});
  }
  std::string Run(const std::string& out, const Texts& more) const {
    const ProcessOutcome outcome = Outcome(out, more);
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    return outcome.out;
  }
  std::string Weights(const std::string& out) const { return WeightsIn(scratch_ / out); }
  // What a run with the cache in a file says that it found and added.
  void ExpectFile(const std::string& out, const Texts& more, int found, int added) const {
    const std::string said = Run(out, more);
    EXPECT_THAT(said, HasSubstr("features: " + std::to_string(found) + " found in ")) << out;
    EXPECT_THAT(said, HasSubstr(".features, " + std::to_string(added) + " added")) << out;
  }

  ScratchFolder scratch_;
};

const Texts kVariants = {"--set", "pipeline.augment.variants=2"};
const Texts kInFile = {"--set", "pipeline.features.cache=file"};

TEST_F(KeptFeaturesTest, GiveTheSameModelAsThoseThatAreMadeAnew) {
  Run("off", Joined(kVariants, {"--set", "pipeline.features.cache=off"}));
  const std::string model = Weights("off");
  const std::string said = Run("memory", kVariants);
  EXPECT_THAT(said, HasSubstr("features: of both splits kept in memory, "));
  EXPECT_THAT(said, HasSubstr(", 2 variants of each picture"));
  EXPECT_TRUE(Weights("memory") == model);
  Run("one", Joined(kVariants, {"--set", "threads=1"}));
  EXPECT_TRUE(Weights("one") == model);
  Run("file", Joined(kVariants, kInFile));
  EXPECT_TRUE(Weights("file") == model);
  Run("again", Joined(kVariants, kInFile));
  EXPECT_TRUE(Weights("again") == model);
  for (const char* out : {"off", "memory", "one", "file", "again"}) {
    const auto summary = nlohmann::json::parse(FileText(scratch_ / out / "summary.json"));
    EXPECT_EQ(summary["dropped"], 1) << out;
  }
  // Each epoch has its line, with all of its pictures.
  std::istringstream lines(FileText(scratch_ / "again/metrics.jsonl"));
  std::string line;
  int epochs = 0;
  for (; std::getline(lines, line); ++epochs) {
    const auto metrics = nlohmann::json::parse(line);
    EXPECT_EQ(metrics["images"], metrics["split"] == "train" ? kTrained : kPictures - kTrained);
  }
  EXPECT_EQ(epochs, 2 * kEpochs);
}

TEST_F(KeptFeaturesTest, OfOtherAugmentationAreOtherModels) {
  // The best may be that of the first epoch, which is the same.
  const Texts last = {"--set", "training.keep=last"};
  Run("two", Joined(kVariants, last));
  Run("endless", last);
  EXPECT_FALSE(Weights("two") == Weights("endless"));
  // As many variants as epochs is what is drawn without a number of them.
  Run("as-many", Joined({"--set", "pipeline.augment.variants=" + std::to_string(kEpochs)}, last));
  EXPECT_TRUE(Weights("as-many") == Weights("endless"));
}

TEST_F(KeptFeaturesTest, InAFileAreMadeAgainExactlyWhereSomethingChanged) {
  const Texts plain = Joined(kInFile, {"--set", "pipeline.augment.zoom=0", "--set",
                                       "pipeline.augment.horizontal_flip=false"});
  ExpectFile("first", plain, 0, kPictures);
  ExpectFile("same", plain, kPictures, 0);
  EXPECT_TRUE(Weights("same") == Weights("first"));

  // Another head, optimizer, batch size, ceiling, seed (nothing is drawn) or validation split.
  ExpectFile("head",
             Joined(plain, {"--set", "training.optimizer.adam.learning_rate=0.01", "--set",
                            "pipeline.batch.size=5", "--memory", "300MiB"}),
             kPictures, 0);
  ExpectFile("seed", Joined(plain, {"--set", "seed=9"}), kPictures, 0);
  ExpectFile("split", Joined(plain, {"--set", "pipeline.directory.validation_split=0.5"}),
             kPictures, 0);

  // A picture that is only touched, or moved to another name.
  std::vector<fs::path> pictures;
  for (const auto& entry : fs::recursive_directory_iterator(scratch_ / "pictures")) {
    if (entry.is_regular_file() && entry.path().filename() != "zz-broken.jpg") {
      pictures.push_back(entry.path());
    }
  }
  fs::last_write_time(pictures[0], fs::file_time_type::clock::now());
  fs::rename(pictures[1], pictures[1].parent_path() / ("a-" + pictures[1].filename().string()));
  ExpectFile("touched", plain, kPictures, 0);

  // A picture of another content and the old time.
  const auto time = fs::last_write_time(pictures[2]);
  std::string content = FileText(pictures[2]);
  content += "x";  // behind its end: decoded all the same
  std::ofstream(pictures[2], std::ios::binary) << content;
  fs::last_write_time(pictures[2], time);
  ExpectFile("changed", plain, kPictures - 1, 1);

  ExpectFile("size", Joined(plain, {"--set", "pipeline.augment.size=[72, 80]"}), 0, kPictures);
  ExpectFile(
      "flips",
      Joined(kInFile, {"--set", "pipeline.augment.zoom=0", "--set", "pipeline.augment.variants=1"}),
      kPictures - kTrained, kTrained);  // validation is not augmented
}

TEST_F(KeptFeaturesTest, OfOtherWeightsOrLayersAreInAnotherFile) {
  const Texts plain = Joined(kInFile, {"--set", "pipeline.augment.variants=1"});
  ExpectFile("first", plain, 0, kPictures);
  ExpectFile("layers", Joined(plain, {"--set", "model.frozen={through: block_13}"}), 0, kPictures);
  ExpectFile("weights", Joined(plain, {"--set", "model.backbone.weights=none"}), 0, kPictures);
  ExpectFile("same", plain, kPictures, 0);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(scratch_ / "cache/features")) {
    files += entry.path().extension() == ".features";
  }
  EXPECT_EQ(files, 3);
}

TEST_F(KeptFeaturesTest, ThatAreDamagedAreMadeAgain) {
  const Texts plain = Joined(kInFile, {"--set", "pipeline.augment.variants=1"});
  ExpectFile("first", plain, 0, kPictures);
  fs::path file;
  for (const auto& entry : fs::directory_iterator(scratch_ / "cache/features")) file = entry.path();
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(4096 + 100).put('\x7f').seekp(-30, std::ios::end).put('\x7f');
  bytes.close();
  ExpectFile("again", plain, kPictures - 2, 2);
  EXPECT_TRUE(Weights("again") == Weights("first"));
}

TEST_F(KeptFeaturesTest, AreThereForARunThatGoesOn) {
  Run("whole", kVariants);
  ExpectFile("before", Joined(Joined(kVariants, kInFile), {"--set", "training.epochs=3"}), 0,
             2 * kTrained + kPictures - kTrained);
  const ProcessOutcome resumed =
      Outcome("before", Joined(Joined(kVariants, kInFile), {"--resume"}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_TRUE(Weights("before") == Weights("whole"));
}

TEST_F(KeptFeaturesTest, SayWhereNothingCanBeKept) {
  EXPECT_THAT(Run("endless", {}), HasSubstr("features: of validation kept in memory, "));
  EXPECT_THAT(Run("endless-again", {}),
              HasSubstr("; of training not: each epoch draws other pictures; `augment: {variants: "
                        "K}` draws K of each"));
  EXPECT_THAT(Run("once", Joined(kVariants, {"--set", "training.epochs=1"})),
              HasSubstr("features: made anew in each epoch: no picture is seen twice"));
  const ProcessOutcome unfrozen = Outcome(
      "unfrozen", {"--set", "model.frozen=none", "--set", "pipeline.features.cache=memory"});
  EXPECT_EQ(unfrozen.status, 2);
  EXPECT_THAT(unfrozen.err, HasSubstr("features.cache: no features can be kept: nothing of the "
                                      "backbone is frozen"));
  const ProcessOutcome folder =
      Outcome("folder", {"--set", "pipeline.features.cache_folder=there"});
  EXPECT_EQ(folder.status, 2);
  EXPECT_THAT(folder.err, HasSubstr("`cache_folder` is of use with `cache: file` only"));
}

TEST_F(KeptFeaturesTest, LeaveOutWhatTheBatchesLeaveOut) {
  const Texts drops = Joined(kVariants, {"--set", "pipeline.batch.drop_last=true"});
  Run("off", Joined(drops, {"--set", "pipeline.features.cache=off"}));
  Run("memory", drops);
  EXPECT_TRUE(Weights("memory") == Weights("off"));
}

}  // namespace
}  // namespace weir
