// A run with phases, averages and a model that is kept, killed at each of the moments that change
// what stands in its folder: it goes on to the same bytes.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/memory/failed_run.h"
#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/left_by_run.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

// Measured on what is learnt from, so that each epoch is better than the one before.
constexpr const char* kTraining =
    "{keep: best, monitor: loss, early_stopping: {patience: 2}, ema: {decay: 0.9}, "
    "class_weight: balanced, checkpoint_interval: 0ms, phases: ["
    "{name: head, epochs: 2, optimizer: {adam: {learning_rate: 0.001}}, "
    "schedule: {cosine: {warm_up: {steps: 2}}}}, "
    "{name: fine_tune, epochs: 2, frozen: {through: block_15}, optimizer_state: keep, "
    "optimizer: {adam: {learning_rate: 0.00001}}}]}";

class KilledRun : public ::testing::Test {
 protected:
  std::vector<std::string> Command(const std::string& name,
                                   const std::vector<std::string>& more = {}) const {
    return Joined({"run", job_.string(), "--out", (scratch_ / name).string()}, more);
  }

  // What is kept of a run: its model with all that says which it is, and its figures. Nothing of it
  // may be missing.
  std::map<std::string, std::string> Kept(const std::string& name) const {
    const fs::path run = scratch_ / name;
    std::map<std::string, std::string> kept = {{"summary", SummaryIn(run)["kept"].dump()}};
    for (const char* file : {"model.safetensors", "raw.safetensors", "model.json"}) {
      kept[file] = FileText(run / "model" / file);
    }
    for (const auto& line : MetricsIn(run)) {
      kept["epochs"] += line["epoch"].dump() + line["split"].dump() +
                        line.value("weights", nlohmann::json()).dump() + line["images"].dump() +
                        line["loss"].dump() + "\n";
    }
    for (const auto& [what, content] : kept) EXPECT_FALSE(content.empty()) << name << ": " << what;
    return kept;
  }

  // Kills the run at each call of that kind, one after the other, and goes on with it. `failing` is
  // what fails besides. Gives how many calls there were.
  unsigned long KillAtEach(const std::string& kind, Failing failing) const {
    const std::string whole = "whole-" + kind;
    const FailedRun right = RunFailing(Command(whole), failing);
    EXPECT_EQ(right.outcome.status, 0) << right.outcome.err;
    const auto counted = right.requests.find(kind);
    const unsigned long calls = counted == right.requests.end() ? 0 : counted->second;
    failing.kill_kind = kind;
    for (failing.kill_at = 1; failing.kill_at <= calls; ++failing.kill_at) {
      const std::string name = kind + std::to_string(failing.kill_at);
      SCOPED_TRACE(name);
      const FailedRun killed = RunFailing(Command(name), failing);
      EXPECT_EQ(killed.outcome.status, kKilledStatus) << killed.outcome.err;
      const bool has_begun = fs::exists(scratch_ / name / "config.yaml");
      if (!has_begun) fs::remove_all(scratch_ / name);
      const FailedRun rest =
          RunFailing(has_begun ? Command(name, {"--resume"}) : Command(name),
                     {.kind = failing.kind, .at = failing.at, .is_forever = true});
      EXPECT_EQ(rest.outcome.status, 0) << rest.outcome.out << rest.outcome.err;
      const auto kept = Kept(name);
      for (const auto& [what, content] : Kept(whole)) {
        const bool is_text = !what.ends_with(".safetensors");
        EXPECT_TRUE(kept.at(what) == content) << what << '\n' << (is_text ? kept.at(what) : "");
      }
      if (HasFailure()) break;
      fs::remove_all(scratch_ / name);
    }
    return calls;
  }

  const ScratchFolder scratch_;
  const fs::path job_ = scratch_.Write(
      "job.yaml", TrainingYaml({.source = "directory: {path: " + DrawnPictures<4>().string() +
                                          ", validation: " + DrawnPictures<4>().string() + "}",
                                .training = kTraining}));
};

TEST_F(KilledRun, AtEachExchangeGoesOnToTheSameModel) { EXPECT_EQ(KillAtEach("exchange", {}), 3u); }

// On a file system that cannot exchange two folders, which takes two renames more in place of each.
TEST_F(KilledRun, AtEachRenameGoesOnToTheSameModel) {
  EXPECT_GT(KillAtEach("rename", {.kind = "exchange", .at = 1, .is_forever = true}), 20u);
}

}  // namespace
}  // namespace weir
