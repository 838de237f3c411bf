// As many classes as there may be, with names of 200 bytes: 13 MB a list of them. What is held of
// them is planned, and every command keeps within the smallest ceiling that the plan calls enough.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stages/files/class_names.h"
#include "tests/memory/within_ceiling.h"
#include "tests/support/file_text.h"
#include "tests/support/hard_cgroup.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kNameBytes = 200;

std::string NameOf(std::size_t label) {
  const std::string number = std::to_string(100'000 + label);
  return number + std::string(kNameBytes - number.size(), 'n');
}

// In that ceiling, or in the one that is said to be enough where it is refused: evaluate lists what
// the plan of a run knows nothing of.
ProcessOutcome InOrAbove(const std::vector<std::string>& arguments, std::size_t ceiling_bytes) {
  ProcessOutcome outcome = WithinCeiling(arguments, ceiling_bytes);
  const std::string advice = "Raise memory.host (or --memory) to ";
  const std::size_t at = outcome.err.find(advice);
  if (outcome.status != 3 || at == std::string::npos) return outcome;
  return WithinCeiling(arguments, std::stoull(outcome.err.substr(at + advice.size())) << 20);
}

// One picture, listed under each of the classes: few are ever looked at.
class MostClasses : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
    const ProcessOutcome drawn = Weir({"draw", (scratch_ / "drawn").string(), "--per-class", "1"});
    ASSERT_EQ(drawn.status, 0) << drawn.err;
    for (const auto& entry : fs::recursive_directory_iterator(scratch_ / "drawn")) {
      if (entry.path().extension() == ".jpg") picture_ = entry.path();
    }
    std::string table = "path,label\n";
    for (std::size_t label = 0; label < kMostClasses; ++label) {
      table += picture_.string() + "," + NameOf(label) + "\n";
    }
    scratch_.Write("all.csv", table);
    scratch_.Write("one.csv", "path,label\n" + picture_.string() + "," + NameOf(7) + "\n");
    job_ = scratch_
               .Write("job.yaml", R"(
pipeline:
  - manifest: {path: all.csv}
  - decode
  - augment: {size: [32, 32]}
  - batch: {size: 4}
  - prefetch: {device: cpu}
  - features: {cache: off}
  - train
model:
  backbone: {name: mobilenet_v2, width: 0.35, weights: none, convention: keras}
  frozen: all
  head:
    - global_average_pooling
    - dense: {units: 4}
    - dense: {units: classes, activation: softmax}
training: {epochs: 1}
)")
               .string();
  }

  std::string Run() const { return (scratch_ / "run").string(); }

  // The checkpoint of the first steps as that of a whole epoch, so that the run has only its model
  // left to write.
  void EndTheEpoch() const {
    const fs::path path = scratch_ / "run/checkpoint/latest.safetensors";
    std::string checkpoint = FileText(path);
    const std::string before = R"(\"epoch\":0)", after = R"(\"epoch\":1)";
    ASSERT_NE(checkpoint.find(before), std::string::npos);
    checkpoint.replace(checkpoint.find(before), before.size(), after);
    std::ofstream(path, std::ios::binary) << checkpoint;
  }

  const ScratchFolder scratch_;
  fs::path picture_;
  std::string job_;
};

TEST_F(MostClasses, AreTrainedEvaluatedAndPredictedWithinThePlan) {
  const SmallestCeilings smallest = SmallestCeilingsOf(job_);
  ASSERT_GT(smallest.run, 0U);

  // Stopped after its first step: all of them would take minutes.
  const ProcessOutcome begun =
      WithinCeiling({"run", job_, "--out", Run()}, smallest.run, [](WeirProcess& process) {
        EXPECT_NE(process.ReadLine().find(": 65536 classes, 65536 pictures"), std::string::npos);
        process.Signal(SIGINT);
      });
  ASSERT_EQ(begun.status, 130) << begun.err;
  EndTheEpoch();
  const ProcessOutcome ended =
      WithinCeiling({"run", job_, "--out", Run(), "--resume"}, smallest.run);
  ASSERT_EQ(ended.status, 0) << ended.err;
  const json summary = json::parse(FileText(scratch_ / "run/summary.json"));
  EXPECT_LE(summary["peak_rss_anon_bytes"], summary["planned_bytes"]);

  const ProcessOutcome evaluated = InOrAbove(
      {"evaluate", Run(), (scratch_ / "one.csv").string(), "--json"}, smallest.prediction);
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  const json figures = json::parse(evaluated.out);
  EXPECT_EQ(figures["classes"].size(), kMostClasses);
  EXPECT_EQ(figures["per_class"][NameOf(7)]["images"], 1);

  // With folders whose names are to be looked for among the classes.
  const std::string folder = (scratch_ / "folders").string();
  for (const std::string& name : {NameOf(0), std::string("another")}) {
    fs::create_directories(fs::path(folder) / name);
    fs::copy(picture_, fs::path(folder) / name / picture_.filename());
  }
  const ProcessOutcome of_folders = InOrAbove({"evaluate", Run(), folder}, smallest.prediction);
  EXPECT_EQ(of_folders.status, 0) << of_folders.err;
  EXPECT_NE(of_folders.err.find("/another is left out: the model has no class of that name\n"),
            std::string::npos)
      << of_folders.err;

  const ProcessOutcome predicted = WithinCeiling(
      {"predict", Run(), picture_.string(), "--json", "--top", "65536"}, smallest.prediction);
  ASSERT_EQ(predicted.status, 0) << predicted.err;
  const json predictions = json::parse(predicted.out)["predictions"];
  ASSERT_EQ(predictions.size(), kMostClasses);
  EXPECT_EQ(predictions[0]["class"].get<std::string>().size(), kNameBytes);
}

}  // namespace
}  // namespace weir
