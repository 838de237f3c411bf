// The model that a run keeps, as a person finds it: which it is, and what becomes of a run whose
// model is gone (killed_run_test.cc: of one that is killed while it puts it in its place).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/pipelines/training_run.h"
#include "tests/support/file_text.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class KeptModelRun : public TrainingRun {};

TEST_F(KeptModelRun, IsTheOneThatWasMeasured) {
  Write("job", "{epochs: 6, monitor: loss, optimizer: {adam: {learning_rate: 0.05}}}");
  ASSERT_EQ(Run("job").status, 0);
  const int epoch = Summary("job")["kept"]["epoch"];
  ASSERT_LT(epoch, 6) << "a rate that large makes it worse again";
  Write("until", "{epochs: " + std::to_string(epoch) +
                     ", keep: last, optimizer: {adam: {learning_rate: 0.05}}}");
  ASSERT_EQ(Run("until").status, 0);
  EXPECT_TRUE(Weights("job") == Weights("until"));
  EXPECT_EQ(Summary("until")["kept"]["as"], "last");
}

TEST_F(KeptModelRun, IsMadeAgainWhereTheLastIsGone) {
  Write("job", "{keep: last, epochs: 2}");
  ASSERT_EQ(Run("job").status, 0);
  const std::string model = Model("job");
  const fs::path folder = Out("job") / "model", weights = folder / "model.safetensors";
  const std::vector<std::pair<std::string, std::function<void()>>> losses = {
      {"moved", [&] { fs::rename(folder, scratch_ / "deployed"); }},
      {"without its weights", [&] { fs::remove(weights); }},
      {"cut short", [&] { fs::resize_file(weights, fs::file_size(weights) - 1); }}};
  for (const auto& [what, lose] : losses) {
    lose();
    const ProcessOutcome again = Run("job", {"--resume"});
    ASSERT_EQ(again.status, 0) << what << again.err;
    EXPECT_THAT(again.out, ContainsRegex("\n" + folder.string() +
                                         " does not hold the model of epoch 2: [^\n]+; "
                                         "the training writes its model anew\n"))
        << what;
    EXPECT_TRUE(Model("job") == model) << what << ", and nothing is left to train";
  }
  EXPECT_THAT(Run("job", {"--resume"}).out, Not(HasSubstr("does not hold")));
  fs::remove_all(folder);
  ASSERT_EQ(Run("job", {"--resume", "--set", "training.epochs=3"}).status, 0);
  Write("whole", "{keep: last, epochs: 3}");
  ASSERT_EQ(Run("whole").status, 0);
  EXPECT_TRUE(Model("job") == Model("whole"));
}

TEST_F(KeptModelRun, TheBestOneIsMissedWhereItIsGone) {
  Write("job", "{keep: best, epochs: 2}");
  for (const std::string name : {"model.json", "model.safetensors"}) {
    fs::remove_all(Out("job"));
    ASSERT_EQ(Run("job").status, 0);
    fs::remove(Out("job") / "model" / name);
    const ProcessOutcome outcome = Run("job", {"--resume", "--set", "training.epochs=3"});
    EXPECT_EQ(outcome.status, 4);
    EXPECT_THAT(outcome.err,
                ContainsRegex("weir: " + (Out("job") / "model").string() +
                              " does not hold the model of epoch [12], the best so far, which "
                              "cannot be made again: [^\n]*" +
                              name +
                              "[^\n]*\n  Put it back as it was, or begin anew in another folder; "
                              "`training.keep: last` goes on without it.\n"));
  }
}

// The best one is gone, and not wanted: neither is the figure that it had.
TEST_F(KeptModelRun, TheBestOneIsNotMissedWhereTheLastIsWanted) {
  Write("job", "{keep: best, epochs: 2}");
  ASSERT_EQ(Run("job").status, 0);
  fs::remove_all(Out("job") / "model");
  const ProcessOutcome outcome =
      Run("job", {"--resume", "--set", "training.keep=last", "--set", "training.epochs=3"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(Summary("job")["kept"]["as"], "last");
  Write("last", "{keep: last, epochs: 3}");
  ASSERT_EQ(Run("last").status, 0);
  EXPECT_TRUE(Model("job") == Model("last"));
}

// A process that was killed between its checkpoint and the exchange leaves the one copy of the best
// model beside the checkpoint. What cannot be read now may be readable later.
TEST_F(KeptModelRun, TheOnlyCopyOfTheBestOneStaysWhereItCannotBeRead) {
  Write("job", "{keep: best, epochs: 2}");
  ASSERT_EQ(Run("job").status, 0);
  const std::string model = Model("job");
  const int epoch = Summary("job")["kept"]["epoch"];
  const fs::path folder = Out("job") / "model";
  const fs::path staged = Out("job") / "checkpoint" / ("kept-" + std::to_string(epoch));
  fs::rename(folder, staged);
  const std::string description = FileText(staged / "model.json");
  std::ofstream(staged / "model.json") << "{";
  const ProcessOutcome refused = Run("job", {"--resume"});
  EXPECT_EQ(refused.status, 4);
  EXPECT_THAT(refused.err, HasSubstr("; and in " + staged.string() + ": "));
  std::ofstream(staged / "model.json") << description;
  const ProcessOutcome outcome = Run("job", {"--resume"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(Model("job") == model);
}

TEST_F(KeptModelRun, DoesNotReplaceAFolderOfThePersonsOwn) {
  Write("job", "{epochs: 1}");
  fs::create_directories(Out("mine") / "model");
  std::ofstream(Out("mine") / "model" / "notes.txt") << "mine";
  const ProcessOutcome outcome =
      Weir({"run", (scratch_ / "job.yaml").string(), "--out", Out("mine").string()});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("model is there already, and a run replaces it as a whole"));
  EXPECT_EQ(FileText(Out("mine") / "model" / "notes.txt"), "mine");
}

}  // namespace
}  // namespace weir
