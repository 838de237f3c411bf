// What a person reads about memory: a refusal with what could be changed, and how a run ended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A job of six classes of eight drawn pictures, in which the whole backbone learns.
std::string YamlWith(const std::string& batch) {
  return TrainingYaml(
      {.source = "directory: {path: " + DrawnPictures<8>().string() + ", validation_split: 0.25}",
       .picture_stages = {"augment: {size: [160, 160]}"},
       .batch = batch,
       .convention = "keras",
       .frozen = "none",
       .training = "{epochs: 2}"});
}

// That job, written once.
const fs::path& Job() {
  static const ScratchFolder folder;
  static const fs::path job = folder.Write("job.yaml", YamlWith("batch: {size: 16}"));
  return job;
}

std::size_t Smallest(const std::vector<std::string>& more, const fs::path& job = Job()) {
  const ProcessOutcome outcome =
      Weir(Joined({"plan", job.string(), "--json", "--memory", "8GiB"}, more));
  if (outcome.status != 0) throw std::runtime_error(outcome.err);
  return nlohmann::json::parse(outcome.out)["smallest_bytes"];
}

constexpr std::size_t kTooLittle = 3 << 19;  // what a change of the batch makes up for

TEST(Refusal, NamesTheLargestPartAndChangesThatMakeItFit) {
  const std::size_t smallest = Smallest({});
  for (const char* command : {"plan", "run"}) {
    const ProcessOutcome outcome =
        Weir({command, Job().string(), "--memory", std::to_string(smallest - kTooLittle)});
    EXPECT_EQ(outcome.status, 3);
    EXPECT_THAT(
        outcome.err,
        AllOf(StartsWith("weir: this job does not fit in "), HasSubstr("\nThe largest part is "),
              HasSubstr("\n  Raise memory.host (or --memory) to "),
              HasSubstr("\n  Or change the job:\n    training.micro_batch: 1 in place of auto "),
              HasSubstr("\n    pipeline.batch.size: 8 in place of 16 (fits in "),
              HasSubstr("\n    model.frozen: all in place of less (fits in ")));
  }
}

TEST(Refusal, CallsAStageAsTheFileDoes) {
  const ScratchFolder folder;
  const fs::path job = folder.Write("job.yaml", YamlWith("batch: {as: many, size: 16}"));
  const ProcessOutcome outcome =
      Weir({"plan", job.string(), "--memory", std::to_string(Smallest({}, job) - kTooLittle)});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr("\n    pipeline.many.size: 8 in place of 16 (fits in "));
}

// Each change that is named is enough, and its figure is the plan's.
TEST(Refusal, SaysTheTruthOfItsChanges) {
  const std::size_t ceiling = Smallest({}) - kTooLittle;
  const ProcessOutcome refused =
      Weir({"plan", Job().string(), "--memory", std::to_string(ceiling)});
  const std::size_t at = refused.err.find("pipeline.batch.size: 8 in place of 16 (fits in ");
  ASSERT_NE(at, std::string::npos) << refused.err;
  std::size_t told_mib = 0;
  std::istringstream(refused.err.substr(refused.err.find("fits in ", at) + 8)) >> told_mib;
  const std::size_t planned = Smallest({"--set", "pipeline.batch.size=8"});
  EXPECT_NEAR(static_cast<double>(told_mib), static_cast<double>(planned >> 20), 2);
  EXPECT_EQ(Weir({"plan", Job().string(), "--memory", std::to_string(ceiling + kTooLittle / 2),
                  "--set", "pipeline.batch.size=8"})
                .status,
            0);
}

TEST(Plan, SaysWhatItsModelTakesToPredict) {
  const ProcessOutcome outcome = Weir({"plan", Job().string(), "--json", "--memory", "8GiB"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto plan = nlohmann::json::parse(outcome.out);
  const std::size_t predicting = plan["prediction"]["smallest_bytes"];
  EXPECT_LT(predicting, plan["smallest_bytes"]);
  EXPECT_LE(predicting, plan["prediction"]["peak_bytes"]);
  EXPECT_THAT(Weir({"plan", Job().string(), "--memory", "8GiB"}).out,
              HasSubstr("\nTo predict and evaluate with its model: "));
}

TEST(Explain, SaysWhoHeldWhatInARunThatWasKilled) {
  const ScratchFolder scratch;
  const std::string out = (scratch / "killed").string();
  {
    WeirProcess process({"run", Job().string(), "--out", out, "--set", "training.epochs=1000",
                         "--set", "training.checkpoint_interval=100ms"});
    process.ReadUntil("epoch 2/1000 train");
    EXPECT_THAT(Weir({"explain", out}).out, StartsWith(out + " is running: epoch "));
    process.Signal(SIGKILL);
    process.Wait();
  }
  const ProcessOutcome outcome = Weir({"explain", out});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(StartsWith(out + " was killed: the last sign of it is of "),
                    ContainsRegex("in epoch [0-9]+/1000 (train|validation), [0-9]+ of (36|12) "),
                    HasSubstr("\n  train      micro-batches of 2 in flight "),
                    HasSubstr("\n             held in all "),
                    HasSubstr("\nGo on with `weir run CONFIG --resume --out " + out)));

  // Its number has gone to another process since: to this one.
  const std::filesystem::path log = std::filesystem::path(out) / "memory.json";
  nlohmann::json last = nlohmann::json::parse(std::ifstream(log));
  last["process"] = ::getpid();
  last["time"] = last["time"].get<std::int64_t>() - 24 * 3600;
  std::ofstream(log) << last.dump();
  EXPECT_THAT(Weir({"explain", out}).out, StartsWith(out + " was killed: "));
}

TEST(Explain, SaysHowARunEnded) {
  const ScratchFolder scratch;
  const std::string out = (scratch / "done").string();
  ASSERT_EQ(Weir({"run", Job().string(), "--out", out}).status, 0);
  const ProcessOutcome outcome = Weir({"explain", out});
  EXPECT_THAT(outcome.out, AllOf(StartsWith(out + " ended at "), HasSubstr(": done\n")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("killed")));
  EXPECT_EQ(Weir({"explain", scratch.path().string()}).status, 4);
}

}  // namespace
}  // namespace weir
