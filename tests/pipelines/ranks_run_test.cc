// Trainings that several processes share, started by `weir run --ranks N`: they leave what one
// process leaves, however many they are and whatever happens to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/pipelines/training_run.h"
#include "tests/support/launched_ranks.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A long enough run, that saves at each step.
constexpr const char* kLong = "{epochs: 60, checkpoint_interval: 0ms}";

class RanksRun : public TrainingRun {
 protected:
  // Pictures of which three cannot be used.
  void WriteJob(const std::string& name, const std::string& training,
                const std::string& frozen = "all") const {
    const fs::path pictures = scratch_ / "pictures";
    if (!fs::exists(pictures)) {
      fs::copy(DrawnPictures<16>(), pictures, fs::copy_options::recursive);
      int broken = 0;
      std::vector<fs::path> folders;
      for (const auto& entry : fs::directory_iterator(pictures)) {
        if (entry.is_directory()) folders.push_back(entry.path());
      }
      std::sort(folders.begin(), folders.end());
      for (const char* place : {"a-broken.jpg", "zz-broken.jpg", "zzz-broken.jpg"}) {
        std::ofstream(folders[broken++ % folders.size()] / place) << "no picture";
      }
    }
    scratch_.Write(name + ".yaml",
                   TrainingYaml({.settings = "threads: 1\nranks: {}",
                                 .source = "directory: {path: " + pictures.string() +
                                           ", validation_split: 0.25}",
                                 .picture_stages = {"augment: {size: [32, 32], zoom: 0.2, "
                                                    "horizontal_flip: true}"},
                                 .batch = "batch: {size: 16}",
                                 .frozen = frozen,
                                 .hidden_layers = "dropout: {rate: 0.2}, ",
                                 .training = training}));
  }

  ProcessOutcome RunTo(const std::string& out, const std::string& job, int ranks,
                       const std::vector<std::string>& more = {}) const {
    return Weir(CommandTo(out, job, ranks, more));
  }
  std::vector<std::string> CommandTo(const std::string& out, const std::string& job, int ranks,
                                     const std::vector<std::string>& more = {}) const {
    return Joined({"run", (scratch_ / (job + ".yaml")).string(), "--out", Out(out).string(),
                   "--ranks", std::to_string(ranks)},
                  more);
  }

  // The lines of metrics.jsonl without what a clock and the memory say.
  std::vector<nlohmann::json> Figures(const std::string& name) const {
    std::vector<nlohmann::json> all;
    for (const char* split : {"train", "validation"}) {
      for (nlohmann::json line : Metrics(name, split)) {
        for (const char* key : {"seconds", "held_bytes", "beside_ledger_bytes"}) line.erase(key);
        all.push_back(std::move(line));
      }
    }
    return all;
  }

  static std::vector<std::string> Lines(const fs::path& file) {
    std::vector<std::string> lines;
    std::istringstream text(FileText(file));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  // The processes that a process has started.
  static std::vector<int> ChildrenOf(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/task/" + std::to_string(process) +
                       "/children");
    std::vector<int> children;
    for (int child = 0; file >> child;) children.push_back(child);
    return children;
  }
  // One that has ended and is not waited for by anybody counts as gone.
  static bool IsThere(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string stat;
    if (!std::getline(file, stat)) return false;
    return stat.at(stat.rfind(')') + 2) != 'Z';
  }
  // A descriptor by which the end of a process can be waited for that is no child of this one.
  static int EndOf(int process) {
    const auto descriptor = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
    EXPECT_GE(descriptor, 0);
    return descriptor;
  }
  static void WaitForEnd(int descriptor) {
    pollfd end{.fd = descriptor, .events = POLLIN, .revents = 0};
    while (poll(&end, 1, -1) < 0) {
    }
    close(descriptor);
  }

  // Three ranks of a long run that has begun to learn; a whole run of the same job is in "whole".
  struct Started {
    std::unique_ptr<WeirProcess> first;
    std::vector<int> others;
  };
  Started StartThree(const std::string& name, const std::vector<std::string>& more = {}) const {
    WriteJob("job", kLong);
    EXPECT_EQ(RunTo("whole", "job", 1).status, 0);
    Started started{std::make_unique<WeirProcess>(CommandTo(name, "job", 3, more)), {}};
    started.first->ReadUntil("epoch 2/60 train");
    started.others = ChildrenOf(started.first->id());
    EXPECT_EQ(started.others.size(), 2u);
    return started;
  }
  // Goes on with it with another number of ranks, and holds what it learns against the whole one.
  void ExpectGoesOn(const std::string& name, int ranks) const {
    const ProcessOutcome resumed = RunTo(name, "job", ranks, {"--resume"});
    EXPECT_EQ(resumed.status, 0) << resumed.err;
    EXPECT_THAT(resumed.out, HasSubstr("going on in epoch "));
    EXPECT_TRUE(Model(name) == Model("whole"));
  }
};

TEST_F(RanksRun, LearnTheSameBytesHoweverManyTheyAre) {
  int job = 0;
  for (const std::string frozen : {"all", "{through: block_12}", "none"}) {
    const std::string name = "job" + std::to_string(job++);
    WriteJob(name, "{epochs: 2, micro_batch: 2, metrics: [accuracy, macro_f1]}", frozen);
    const ProcessOutcome alone = Run(name);
    ASSERT_EQ(alone.status, 0) << alone.err;
    EXPECT_THAT(alone.out, HasSubstr("3 pictures could not be used: "));
    for (int ranks = 1; ranks <= (frozen == "all" ? 4 : 3); ++ranks) {
      const std::string out = name + "-" + std::to_string(ranks);
      const ProcessOutcome outcome = RunTo(out, name, ranks);
      ASSERT_EQ(outcome.status, 0) << outcome.err;
      EXPECT_TRUE(Model(out) == Model(name)) << frozen << ", " << ranks << " ranks";
      EXPECT_EQ(Figures(out), Figures(name));
      EXPECT_EQ(Lines(Out(out) / "dropped.jsonl"), Lines(Out(name) / "dropped.jsonl"));
      EXPECT_EQ(Summary(out)["dropped"], 3);
      EXPECT_EQ(outcome.err, "");
      EXPECT_EQ(fs::exists(Out(out) / "ranks/1/memory.json"), ranks > 1);
      EXPECT_EQ(FileText(Out(out) / "ranks/1/metrics.jsonl"), "");
    }
  }
  EXPECT_FALSE(Model("job0").empty());
}

// Whatever follows from the figures is decided alike by all: a plateau, the best model, an end.
TEST_F(RanksRun, GoThroughPhasesTogether) {
  WriteJob("job",
           "{keep: best, monitor: loss, ema: {decay: 0.9}, class_weight: balanced, "
           "early_stopping: {patience: 3}, phases: [{name: head, epochs: 3, "
           "optimizer: {adam: {learning_rate: 0.01}}, schedule: {reduce_on_plateau: "
           "{patience: 1}}}, {name: tune, epochs: 2, frozen: {through: block_15}, "
           "optimizer: {adam: {learning_rate: 0.0001}}}]}");
  ASSERT_EQ(RunTo("one", "job", 1).status, 0);
  const ProcessOutcome outcome = RunTo("three", "job", 3);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(Model("three") == Model("one"));
  EXPECT_EQ(Figures("three"), Figures("one"));
  EXPECT_EQ(Summary("three")["kept"], Summary("one")["kept"]);
}

TEST_F(RanksRun, KeepFeaturesWithoutThatAPictureIsLostOrSeenTwice) {
  WriteJob("job", "{epochs: 4}");
  const std::vector<std::string> plain = {"--set", "pipeline.augment={size: [32, 32]}"};
  for (const std::string cache : {"off", "memory", "file"}) {
    const auto with_cache = Joined(plain, {"--set", "pipeline.features.cache=" + cache});
    ASSERT_EQ(RunTo(cache + "1", "job", 1, with_cache).status, 0);
    const ProcessOutcome outcome = RunTo(cache + "2", "job", 2, with_cache);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(Model(cache + "1") == Model("off1")) << cache;
    EXPECT_TRUE(Model(cache + "2") == Model("off1")) << cache;
    EXPECT_EQ(Figures(cache + "2"), Figures("off1")) << cache;
  }
}

// Each epoch gives a rank other pictures, which are found in the file, whoever put them there.
TEST_F(RanksRun, FindAllFeaturesThatAreKeptInAFile) {
  WriteJob("job", "{epochs: 3}");
  const std::vector<std::string> in_file = {
      "--set", "pipeline.augment={size: [32, 32]}",
      "--set", "pipeline.features.cache=file",
      "--set", "pipeline.features.cache_folder=" + (scratch_ / "features").string()};
  ASSERT_EQ(RunTo("one", "job", 1, in_file).status, 0);
  const ProcessOutcome again = RunTo("two", "job", 2, in_file);
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr(", 0 added"));
}

TEST_F(RanksRun, EndWhereOneIsKilledAndGoOnWithAnotherNumber) {
  const Started ranks = StartThree("killed");
  kill(ranks.others.at(1), SIGKILL);
  const ProcessOutcome outcome = ranks.first->Wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.err,
            "weir: rank 2 is gone: rank 2 was killed by signal 9\n"
            "  Go on from the last checkpoint with --resume, with any number of ranks.\n");
  EXPECT_FALSE(IsThere(ranks.others.at(0)));
  ExpectGoesOn("killed", 2);
}

TEST_F(RanksRun, EndByThemselvesWhereTheFirstIsKilled) {
  const Started ranks = StartThree("killed");
  std::vector<int> ends;
  for (const int other : ranks.others) ends.push_back(EndOf(other));
  ranks.first->Signal(SIGKILL);
  EXPECT_EQ(ranks.first->Wait().status, 128 + SIGKILL);
  for (const int end : ends) WaitForEnd(end);
  ExpectGoesOn("killed", 4);
}

// The store at which they meet is gone with it.
TEST_F(RanksRun, SayInTwoLinesThatTheFirstIsGone) {
  WriteJob("job", kLong);
  const std::uint16_t port = FreePort();
  const std::vector<std::string> command = Command("job");
  WeirProcess first(command, {.environment = LaunchedRank(0, 2, port)});
  WeirProcess other(command, {.environment = LaunchedRank(1, 2, port)});
  first.ReadUntil("epoch 2/60 train");
  first.Signal(SIGKILL);
  const ProcessOutcome outcome = other.Wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_EQ(outcome.err,
            "weir: rank 1: rank 0 is gone\n"
            "  Go on from the last checkpoint with --resume, with any number of ranks.\n");
}

TEST_F(RanksRun, NameTheOneThatHangs) {
  const Started ranks = StartThree("hung", {"--set", "ranks.timeout=6s"});
  kill(ranks.others.at(0), SIGSTOP);
  const ProcessOutcome outcome = ranks.first->Wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_THAT(outcome.err, StartsWith("weir: rank 1 has not answered for 6 s\n"));
  for (const int other : ranks.others) EXPECT_FALSE(IsThere(other));
}

TEST_F(RanksRun, AllStopBehindTheSameStepWhereOneIsAskedTo) {
  const Started ranks = StartThree("stopped");
  kill(ranks.others.at(1), SIGTERM);
  const ProcessOutcome outcome = ranks.first->Wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_THAT(outcome.err,
              ::testing::MatchesRegex("weir: interrupted in epoch [0-9]+ after [0-9]+ steps; the "
                                      "checkpoint is saved\n  Go on with --resume --out [^\n]+\n"));
  ExpectGoesOn("stopped", 1);
}

TEST_F(RanksRun, RefuseInOneVoiceBeforeThereIsAFolder) {
  WriteJob("job", "{epochs: 1}");
  const auto refused = [&](int ranks, const std::vector<std::string>& more) {
    const ProcessOutcome outcome = RunTo("refused", "job", ranks, more);
    EXPECT_FALSE(fs::exists(Out("refused")));
    return std::to_string(outcome.status) + " " + outcome.err;
  };
  EXPECT_EQ(refused(9, {}),
            "2 weir: 9 ranks cannot share batches of 16 that are cut in 8 pieces\n"
            "  Start fewer, or set ranks.pieces to 16: other pieces give other numbers.\n");
  EXPECT_EQ(refused(17, {}),
            "2 weir: 17 ranks cannot share batches of 16 that are cut in 8 pieces\n"
            "  Start fewer, or set a larger batch.size.\n");
  EXPECT_THAT(refused(2, {"--memory", "30MiB"}), StartsWith("3 weir: "));
  EXPECT_THAT(
      refused(2, {"--set", "training.micro_batch=3", "--set", "model.frozen={through: block_15}"}),
      StartsWith("2 weir: training.micro_batch: 3 is more than a piece of the batch, of 2\n"
                 "  Give a smaller one, or fewer ranks.pieces.\n"));
  EXPECT_THAT(refused(2, {"--set", "ranks.timeout=0s"}), HasSubstr("takes 1s to 24h, not 0s"));
}

TEST_F(RanksRun, ShareWhatIsAutomaticOfTheirMachine) {
  WriteJob("job", "{epochs: 1}");
  ASSERT_EQ(RunTo("both", "job", 2, {"--set", "threads=auto"}).status, 0);
  const auto limit = [&](const fs::path& plan) {
    return nlohmann::json::parse(FileText(plan))["limit_bytes"].get<double>();
  };
  ASSERT_EQ(Run("job").status, 0);
  const double alone = limit(Out("job") / "plan.json");
  EXPECT_NEAR(limit(Out("both") / "plan.json") / alone, 0.5, 0.15);
  EXPECT_NEAR(limit(Out("both") / "ranks/1/plan.json") / alone, 0.5, 0.15);
}

}  // namespace
}  // namespace weir
