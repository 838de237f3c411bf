// What a person types, what is printed, and the exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const fs::path& Pictures() { return DrawnPictures(); }

double BestAccuracy(const fs::path& run) {
  std::ifstream file(run / "summary.json");
  return nlohmann::json::parse(file)["best_validation_accuracy"];
}

TEST(Demo, LearnsFromFewPicturesBecauseItsBackboneHasSeenOthers) {
  const ScratchFolder scratch;
  const ProcessOutcome pretrained = Weir(DrawnDemo("run", {"--out", (scratch / "with").string()}));
  ASSERT_EQ(pretrained.status, 0) << pretrained.out << pretrained.err;
  const ProcessOutcome random = Weir(DrawnDemo(
      "run", {"--out", (scratch / "without").string(), "--set", "model.backbone.weights=none"}));
  ASSERT_EQ(random.status, 0) << random.out << random.err;
  EXPECT_GE(BestAccuracy(scratch / "with"), 0.9);
  EXPECT_LE(BestAccuracy(scratch / "without"), BestAccuracy(scratch / "with") - 0.2);
}

TEST(Run, TracesWhatEachThreadDidAndNamesTheBottleneck) {
  const ScratchFolder scratch;
  const fs::path trace = scratch / "trace.json";
  const ProcessOutcome outcome =
      Weir(DrawnDemo("run", {"--out", (scratch / "run").string(), "--trace", trace.string(),
                             "--set", "training.epochs=1", "--set", "threads=2"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("trace: " + trace.string() + " (open it at ui.perfetto.dev)"));
  EXPECT_THAT(outcome.out, ContainsRegex("bottleneck: [a-z]+, [0-9]+ % of the time of 2 threads"));

  std::ifstream file(trace);
  std::map<std::string, int> spans;
  std::set<std::string> counters, marks;
  std::set<int> threads;
  for (const auto& event : nlohmann::json::parse(file)) {
    if (event["ph"] == "X") ++spans[event["name"]], threads.insert(event["tid"].get<int>());
    if (event["ph"] == "C") counters.insert(event["name"]);
    if (event["ph"] == "i") marks.insert(event["name"]);
  }
  EXPECT_THAT(marks, ElementsAre("epoch 1 train", "epoch 1 validation"));
  EXPECT_EQ(threads.size(), 2u);
  EXPECT_GE(spans["decode"], 1);
  EXPECT_EQ(spans["decode"], spans["augment"]);
  EXPECT_GE(spans["features"], 1);
  EXPECT_GE(spans["train"], 1);
  EXPECT_THAT(counters,
              AllOf(Contains("held by the process"), Contains("directory: samples on their way"),
                    Contains("batch: batches on their way")));

  std::ifstream summary(scratch / "run/summary.json");
  double sum = 0;
  const auto shares = nlohmann::json::parse(summary)["share_of_time"];
  for (const auto& share : shares) sum += share.get<double>();
  EXPECT_NEAR(sum, 1, 0.2);

  const ProcessOutcome nowhere = Weir(
      DrawnDemo("run", {"--out", (scratch / "other").string(), "--trace", "/nowhere/trace.json"}));
  EXPECT_EQ(nowhere.status, 4);
  EXPECT_FALSE(fs::exists(scratch / "other"));
}

TEST(Run, RefusesAFolderThatHoldsARun) {
  const ScratchFolder scratch;
  const std::vector<std::string> arguments =
      DrawnDemo("run", {"--out", scratch.path().string(), "--set", "training.epochs=1"});
  ASSERT_EQ(Weir(arguments).status, 0);
  const ProcessOutcome again = Weir(arguments);
  EXPECT_EQ(again.status, 2);
  EXPECT_EQ(again.err, "weir: " + scratch.path().string() +
                           " holds a run already\n  Go on with it by --resume, or give another "
                           "folder with --out.\n");
}

TEST(Run, NamesTheWeightsThatAreNotThere) {
  const ProcessOutcome outcome =
      Weir(DrawnDemo("run", {"--set", "model.backbone.weights=none.pth"}));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("none.pth"));
}

TEST(Run, NeedsTwoClasses) {
  const ScratchFolder scratch;
  fs::copy(*fs::directory_iterator(Pictures()), scratch / "only", fs::copy_options::recursive);
  const ProcessOutcome outcome =
      Weir(DrawnDemo("run", {"--set", "pipeline.directory.path=" + scratch.path().string(), "--out",
                             (scratch / "run").string()}));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_FALSE(fs::exists(scratch / "run"));
}

TEST(Run, ThatCannotBeginLeavesNoFolderBehind) {
  const ScratchFolder scratch;
  const ProcessOutcome outcome = Weir(
      DrawnDemo("run", {"--out", (scratch / "run").string(), "--set", "model.backbone.width=0.5"}));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("the file looks like width 0.35"));
  EXPECT_FALSE(fs::exists(scratch / "run"));
}

TEST(Run, NamesOnlyTheFileWhereItCannotBeRead) {
  const ScratchFolder scratch;
  const std::string empty = scratch.Write("empty.yaml").string();
  const ProcessOutcome outcome = Weir({"run", empty});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "weir: " + empty + ": the file is empty\n");
}

TEST(Run, ThatDivergesEndsInsteadOfLeavingAModelOfNoNumbers) {
  // At the end of the epoch, or before a checkpoint that could not be read back.
  for (const auto& [interval, where] : std::map<std::string, std::string>{
           {"1h", "weir: epoch 1/10 train: "}, {"0s", "weir: stage train: epoch 1/10 train: "}}) {
    const ScratchFolder scratch;
    const ProcessOutcome outcome =
        Weir(DrawnDemo("run", {"--out", (scratch / "run").string(), "--set",
                               "training.optimizer={sgd: {learning_rate: 1e+30}}", "--set",
                               "training.checkpoint_interval=" + interval}));
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.err, StartsWith(where + "the loss is no number any more"));
    EXPECT_FALSE(fs::exists(scratch / "run/model"));
  }
}

class Resume : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(Weir(Again({}, false)).status, 0); }

  // The run of one epoch, begun or gone on with.
  std::vector<std::string> Again(const std::vector<std::string>& more, bool resume = true) const {
    std::vector<std::string> all =
        DrawnDemo("run", {"--out", run_.string(), "--set", "training.epochs=1"});
    if (resume) all.push_back("--resume");
    return Joined(all, more);
  }
  std::string Config() const { return FileText(run_ / "config.yaml"); }

  const ScratchFolder scratch_;
  const fs::path run_ = scratch_ / "run";
};

TEST_F(Resume, WithAnotherModelIsRefusedAndLeavesTheRunAsItWas) {
  const std::string before = Config();
  const ProcessOutcome outcome = Weir(Again({"--set", "training.optimizer=sgd"}));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("optimizer was `adam`, and is `sgd` now"));
  EXPECT_EQ(Config(), before);
}

TEST_F(Resume, OfAFinishedRunSaysSo) {
  const ProcessOutcome outcome = Weir(Again({}));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              HasSubstr("1 epochs are done and training.epochs is 1: nothing is left to train\n"));
}

TEST_F(Resume, SaysThatItsCheckpointIsDamaged) {
  fs::resize_file(run_ / "checkpoint/latest.safetensors", 1000);
  const ProcessOutcome outcome = Weir(Again({}));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err,
              HasSubstr("The checkpoint is damaged: remove it, and the run begins anew."));
}

TEST_F(Resume, BeginsAnewWhereThereIsNoCheckpoint) {
  fs::remove_all(run_ / "checkpoint");
  const ProcessOutcome outcome = Weir(Again({}));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(fs::exists(run_ / "checkpoint/latest.safetensors"));
  std::ifstream metrics(run_ / "metrics.jsonl");
  int lines = 0;
  for (std::string line; std::getline(metrics, line);) ++lines;
  EXPECT_EQ(lines, 2) << "one for each split: those of the first try are gone";
}

TEST_F(Resume, EvaluateNamesTheFoldersThatAreNoClassOfTheModel) {
  fs::copy(Pictures(), scratch_ / "more", fs::copy_options::recursive);
  fs::copy(*fs::directory_iterator(Pictures()), scratch_ / "more/zebra");
  const ProcessOutcome outcome = Weir({"evaluate", run_.string(), (scratch_ / "more").string()});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "weir: " + (scratch_ / "more/zebra").string() +
                             " is left out: the model has no class of that name\n");
}

TEST_F(Resume, PredictPrintsALineForEachPictureWhateverItsName) {
  const fs::path picture = *fs::directory_iterator(*fs::directory_iterator(Pictures()));
  fs::copy(picture, scratch_ / "a\nb\x1b[31m.jpg");
  const ProcessOutcome outcome =
      Weir({"predict", run_.string(), (scratch_ / "a\nb\x1b[31m.jpg").string()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith((scratch_ / "a\\x0ab\\x1b[31m.jpg:").string()));
}

TEST(Plan, ShowsTheFlowTheModelAndTheBillWithoutRunning) {
  const ProcessOutcome outcome = Weir(DrawnDemo("plan"));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("  decode  ─▶ image/u8hwc\n"),
                                 HasSubstr("45 of 52 layers of the backbone are frozen"),
                                 HasSubstr("The smallest ceiling that works is ")));
  const auto json = nlohmann::json::parse(Weir(DrawnDemo("plan", {"--json"})).out);
  std::size_t total = 0;
  for (const auto& row : json["rows"]) total += row["bytes"].get<std::size_t>();
  EXPECT_EQ(json["peak_bytes"], total);
  EXPECT_LE(json["peak_bytes"], json["limit_bytes"]);
}

// On pictures so large that it takes much more to learn all of the backbone than a part of it.
TEST(Plan, SaysTheMostThatCouldLearnWithinTheCeiling) {
  const auto plan_in = [](std::size_t bytes, const std::vector<std::string>& more = {}) {
    const ProcessOutcome outcome =
        Weir(Joined(DrawnDemo("plan", {"--json", "--set", "pipeline.augment.size=[224, 224]",
                                       "--set", "memory.host=" + std::to_string(bytes) + "B"}),
                    more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  };
  const auto roomy = plan_in(std::size_t{1} << 30)["could_learn"];
  EXPECT_EQ(roomy["change"], "model.frozen=none");
  constexpr std::size_t kVaries = std::size_t{8} << 20;  // what the process holds beforehand
  const std::size_t too_little = roomy["smallest_bytes"].get<std::size_t>() - kVaries;
  const auto tight = plan_in(too_little)["could_learn"];
  const std::string change = tight["change"];
  EXPECT_THAT(change, StartsWith("model.frozen={through: "));
  EXPECT_LE(tight["smallest_bytes"], too_little);
  const auto changed = plan_in(too_little, {"--set", change});
  EXPECT_NEAR(changed["smallest_bytes"].get<double>(), tight["smallest_bytes"].get<double>(),
              static_cast<double>(kVaries));
  EXPECT_THAT(
      Weir(DrawnDemo("plan")).out,
      HasSubstr("\nThe most that could learn within the ceiling: model.frozen=none, from "));
}

TEST(Plan, SaysWhyItsCountsAreWhatTheyAre) {
  const auto plan = [](const std::string& memory, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--set", "threads=2", "--memory", memory});
    return Weir(DrawnDemo("plan", more)).out;
  };
  const std::string plenty = plan("2GiB");
  EXPECT_THAT(plenty, HasSubstr("\n  directory: 8 samples on their way: 4 for each worker, so that "
                                "none idles while some wait for their batch\n"));
  EXPECT_THAT(plenty, HasSubstr(": a batch of 32 is cut in 16, for 2 threads\n"));
  EXPECT_THAT(plenty, Not(HasSubstr("one more takes")));

  const auto json = nlohmann::json::parse(plan("2GiB", {"--json"}));
  const std::size_t smallest = (json["smallest_bytes"].get<std::size_t>() >> 20) + 2;
  const std::string memory = std::to_string(smallest) + "MiB";
  // What is short depends on the processor, for which oneDNN lays out the weights.
  const std::string text = plan(memory);
  // "  train      micro-batches of 2 in flight   activation  2.92 MiB  1 of 2  2.92 MiB"
  const std::regex short_row("  (\\w+) .* ([0-9]+ of [0-9]+)  .*");
  int short_rows = 0;
  std::istringstream lines(text.substr(0, text.find("why these counts:")));
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, short_row)) continue;
    ++short_rows;
    EXPECT_THAT(text, ContainsRegex(found.str(1) + ": " + found.str(2) +
                                    " [^;\n]*[;:][^\n]*; one more takes "));
  }
  EXPECT_GT(short_rows, 0);
}

TEST(Plan, SaysWhichDeviceWasTakenAndWhy) {
  const std::vector<std::string> on_cpu = {"--set", "pipeline.prefetch.device=cpu"};
  EXPECT_THAT(Weir(DrawnDemo("plan", on_cpu)).out,
              HasSubstr("\ndevice: cpu, as `device: cpu` says so\n"));
  const auto json =
      nlohmann::json::parse(Weir(DrawnDemo("plan", {"--json", on_cpu[0], on_cpu[1]})).out);
  EXPECT_EQ(json["device"], (nlohmann::json{{"name", "cpu"}, {"reason", "`device: cpu` says so"}}));

  const auto found = nlohmann::json::parse(
      Weir(DrawnDemo("plan", {"--json", "--set", "memory.host=auto"})).out)["device"];
  EXPECT_EQ(found["reason"], nlohmann::json::parse(Weir({"devices", "--json"}).out)["device"]);
}

TEST(Plan, TheSmallestCeilingWorksAndOneBelowDoesNot) {
  const auto json = nlohmann::json::parse(Weir(DrawnDemo("plan", {"--json"})).out);
  const std::size_t smallest = json["smallest_bytes"].get<std::size_t>() >> 20;
  EXPECT_EQ(Weir(DrawnDemo("plan", {"--memory", std::to_string(smallest + 4) + "MiB"})).status, 0);
  EXPECT_EQ(Weir(DrawnDemo("plan", {"--memory", std::to_string(smallest - 8) + "MiB"})).status, 3);
}

TEST(Check, ListsEveryProblemAtOnce) {
  const ProcessOutcome outcome =
      Weir(DrawnDemo("check", {"--set", "model.backbone.weights=none.pth", "--set",
                               "pipeline.directory.path=/nowhere"}));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("none.pth"), HasSubstr("/nowhere")));
  EXPECT_THAT(outcome.err, HasSubstr("2 problems found"));
}

TEST(Check, SaysThatTheArticlesRescaleIsNotWhatTheWeightsWereTrainedOn) {
  const ProcessOutcome outcome =
      Weir(DrawnDemo("check", {"--set", "model.preprocessing={scale: 1/255, offset: 0}"}));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              HasSubstr("feeds the backbone [0, 1], the weights were trained on [-2.12, 2.25]"));
}

TEST(Preview, TakesATildeForTheHomeFolderAsAShellDoes) {
  const ScratchFolder scratch;
  const ProcessSetup setup{.environment = {"HOME=" + scratch.path().string()}};
  const ProcessOutcome drawn = Weir(DrawnDemo("preview", {"--out=~/sheet.png"}), setup);
  EXPECT_EQ(drawn.status, 0) << drawn.err;
  EXPECT_TRUE(fs::exists(scratch / "sheet.png"));
  const ProcessOutcome refused = Weir(DrawnDemo("preview", {"--out=~bob/sheet.png"}), setup);
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("the home folder `~bob` is not looked up"));
}

TEST(Predict, NamesWhatIsNoPictureAndGoesOn) {
  const ScratchFolder scratch;
  ASSERT_EQ(
      Weir(DrawnDemo("run", {"--out", (scratch / "run").string(), "--set", "training.epochs=1"}))
          .status,
      0);
  const fs::path text = scratch.Write("notes.jpg", "no picture");
  const fs::path picture = *fs::directory_iterator(*fs::directory_iterator(Pictures()));
  const ProcessOutcome outcome =
      Weir({"predict", (scratch / "run").string(), text.string(), picture.string()});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr(text.string()));
  EXPECT_THAT(outcome.out, StartsWith(picture.string() + ":  "));
  const auto line = nlohmann::json::parse(
      Weir({"predict", (scratch / "run").string(), picture.string(), "--json"}).out);
  EXPECT_EQ(line["path"], picture.string());
  EXPECT_EQ(line["predictions"].size(), 3u);
  EXPECT_GE(line["predictions"][0]["probability"], line["predictions"][1]["probability"]);
  EXPECT_EQ(Weir({"predict", (scratch / "run").string(), text.string()}).status, 4);
}

TEST(Predict, SaysWhatIsNoRun) {
  const ScratchFolder scratch;
  const ProcessOutcome outcome = Weir({"predict", scratch.path().string(), "a.jpg"});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_EQ(outcome.err, "weir: " + scratch.path().string() +
                             " is not the folder of a run\n  Give the folder that `weir run` "
                             "printed: it holds config.yaml and model/.\n");
}

TEST(Devices, SayWhatThisProcessMayUse) {
  const auto json = nlohmann::json::parse(Weir({"devices", "--json"}).out);
  EXPECT_GE(json["cpu"]["threads"], 1);
  EXPECT_GT(json["memory"]["auto_bytes"], 0);
  EXPECT_LE(json["memory"]["auto_bytes"], json["memory"]["limits"][0]["bytes"]);
}

}  // namespace
}  // namespace weir
