// What a run reads may be exchanged while it runs or before it goes on: it makes the model that it
// was begun for, or says what is another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/left_by_run.h"
#include "tests/support/scoped_variable.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ExchangedInputs : public ::testing::Test {
 protected:
  using Settings = std::map<std::string, std::string>;

  std::vector<std::string> Command(const std::string& out, const Settings& changed = {},
                                   const std::vector<std::string>& more = {}) const {
    Settings settings = {{"pipeline.directory.path", pictures_.string()},
                         {"pipeline.augment.size", "[64, 64]"},
                         {"pipeline.batch.size", "8"},
                         {"model.backbone.weights", weights_.string()},
                         {"training.keep", "last"},  // the best may be of an early epoch
                         {"training.epochs", "2"}};
    for (const auto& [key, value] : changed) settings[key] = value;
    std::vector<std::string> all = {"run", "configs/demo.yaml", "--out", (scratch_ / out).string()};
    for (const auto& [key, value] : settings) all.insert(all.end(), {"--set", key + "=" + value});
    return Joined(all, more);
  }

  ProcessOutcome Resume(const Settings& changed) const {
    return Weir(Command("run", changed, {"--resume"}));
  }

  // A run that goes on for a while after its first epoch.
  std::vector<std::string> LongCommand(const std::string& out,
                                       const std::vector<std::string>& more = {}) const {
    return Command(out, {{"training.epochs", "60"}}, more);
  }

  // A long run in which `act` happens when the first epoch is reported.
  ProcessOutcome Disturbed(const std::string& out, const std::function<void()>& act) const {
    WeirProcess process(LongCommand(out));
    process.ReadUntil("epoch 1/60 train");
    act();
    return process.Wait();
  }

  std::string Weights(const std::string& out) const { return WeightsIn(scratch_ / out); }

  // The weights with other numbers here and there.
  std::string OtherWeights() const {
    std::string bytes = FileText(kWeights);
    for (std::size_t at = bytes.size() / 4; at < bytes.size(); at += 64) bytes[at] ^= 1;
    return bytes;
  }
  std::function<void()> OverwritingWeights() const {
    return [this, other = OtherWeights()] {
      std::fstream(weights_, std::ios::in | std::ios::out | std::ios::binary) << other;
    };
  }

  static constexpr const char* kWeights = "configs/demo_weights.safetensors";
  const ScratchFolder scratch_;
  const ScopedVariable cache_{"WEIR_CACHE", (scratch_ / "cache").c_str()};
  const fs::path weights_ = scratch_.Write("w.safetensors", FileText(kWeights));
  const fs::path pictures_ = DrawnPictures<8>();
};

TEST_F(ExchangedInputs, TheModelIsTheSameWhateverBecomesOfTheWeightsMeanwhile) {
  ASSERT_EQ(Weir(LongCommand("right")).status, 0);
  const std::string right = Weights("right");
  const std::map<std::string, std::function<void()>> acts = {
      {"overwritten", OverwritingWeights()},
      {"truncated", [this] { fs::resize_file(weights_, 1000); }},
      {"removed", [this] { fs::remove(weights_); }}};
  for (const auto& [name, act] : acts) {
    scratch_.Write("w.safetensors", FileText(kWeights));
    const ProcessOutcome outcome = Disturbed(name, act);
    EXPECT_EQ(outcome.status, 0) << name << outcome.err;
    EXPECT_TRUE(Weights(name) == right) << name;
  }
}

TEST_F(ExchangedInputs, WithoutRoomForACopyAnExchangedFileLosesNothing) {
  ASSERT_EQ(Weir(LongCommand("right")).status, 0);
  const std::string nowhere = scratch_.Write("file") / "cache";
  const ScopedVariable no_cache("WEIR_CACHE", nowhere.c_str());
  const std::map<std::string, std::function<void()>> acts = {
      {"written to", OverwritingWeights()},
      {"cut short", [this] { fs::resize_file(weights_, 1000); }}};
  for (const auto& [what, act] : acts) {
    scratch_.Write("w.safetensors", FileText(kWeights));
    fs::last_write_time(weights_, fs::last_write_time(weights_) - std::chrono::hours(1));
    const ProcessOutcome outcome = Disturbed(what, act);
    EXPECT_EQ(outcome.status, 4) << what;
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("weir: " + weights_.string() + ": was " + what),
                      HasSubstr("\n  The checkpoint is kept: put the file back as it was, and "
                                "--resume writes the model.\n")));
    EXPECT_FALSE(fs::exists(scratch_ / what / "model/model.safetensors"));
    scratch_.Write("w.safetensors", FileText(kWeights));
    EXPECT_EQ(Weir(LongCommand(what, {"--resume"})).status, 0);
    EXPECT_TRUE(Weights(what) == Weights("right")) << what;
  }
}

TEST_F(ExchangedInputs, AnotherTrainingIsNotGoneOnWith) {
  ASSERT_EQ(Weir(Command("run", {{"training.epochs", "1"}})).status, 0);
  const std::string before = FileText(scratch_ / "run/config.yaml");

  scratch_.Write("other.safetensors", OtherWeights());
  fs::copy(pictures_, scratch_ / "other", fs::copy_options::recursive);
  const fs::path folder = *fs::directory_iterator(scratch_ / "other");
  fs::remove(*fs::directory_iterator(folder));
  const std::vector<std::pair<std::string, Settings>> refused = {
      {"frozen weights", {{"model.backbone.weights", (scratch_ / "other.safetensors").string()}}},
      {"pictures to train on", {{"pipeline.directory.path", (scratch_ / "other").string()}}},
      {"pictures to train on", {{"pipeline.directory.validation_split", "0.5"}}},
      {"pictures to train on", {{"pipeline.directory.shuffle", "false"}}},
      {"batch size", {{"pipeline.batch.size", "16"}}},
      {"preprocessing", {{"model.preprocessing", "{scale: 1/255, offset: 0}"}}}};
  for (const auto& [what, changed] : refused) {
    const ProcessOutcome outcome = Resume(changed);
    EXPECT_EQ(outcome.status, 4) << what;
    EXPECT_THAT(outcome.err, HasSubstr("is of another training: " + what + " was `"));
  }
  EXPECT_EQ(FileText(scratch_ / "run/config.yaml"), before);
}

TEST_F(ExchangedInputs, WhatMayChangeIsSaidAndTheRestIsTheSameTraining) {
  ASSERT_EQ(Weir(Command("run", {{"training.epochs", "1"}})).status, 0);
  ASSERT_EQ(Weir(Command("right")).status, 0);

  fs::copy(pictures_, scratch_ / "moved", fs::copy_options::recursive);
  fs::rename(weights_, scratch_ / "moved.safetensors");
  const Settings moved = {{"pipeline.directory.path", (scratch_ / "moved").string()},
                          {"model.backbone.weights", (scratch_ / "moved.safetensors").string()},
                          {"threads", "1"}};
  fs::copy(scratch_ / "run", scratch_ / "again", fs::copy_options::recursive);
  const ProcessOutcome same = Resume(moved);
  EXPECT_EQ(same.status, 0) << same.err;
  EXPECT_THAT(same.out,
              AllOf(HasSubstr("\ntraining.epochs was 1, is 2 from here on\n"),
                    HasSubstr("\nthreads was auto, is 1 from here on\n"),
                    HasSubstr("\npipeline.directory.path was " + pictures_.string() + ", is " +
                              (scratch_ / "moved").string() + " from here on\n"),
                    Not(HasSubstr("learning_rate was"))));
  EXPECT_TRUE(Weights("run") == Weights("right"));

  Settings slower = moved;
  slower["training.optimizer"] = "{adam: {learning_rate: 0.0001}}";
  const ProcessOutcome other = Weir(Command("again", slower, {"--resume"}));
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_THAT(other.out, HasSubstr("\ntraining.optimizer.adam.learning_rate was 5e-04, is 1e-04 "
                                   "from here on\n"));
  EXPECT_FALSE(Weights("again") == Weights("right"));

  const ProcessOutcome unchanged = Weir(Command("again", slower, {"--resume"}));
  EXPECT_THAT(unchanged.out, Not(HasSubstr("from here on")));
}

}  // namespace
}  // namespace weir
