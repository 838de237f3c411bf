// Sets with thousands of classes: what grows with them is planned, held within the ceiling, and
// written so that it can be read again.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/hard_cgroup.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kClasses = 3000;  // a matrix of their squares would take 72 MB
constexpr const char* kCeiling = "112MiB";
constexpr std::size_t kCeilingAndCode = std::size_t{136} << 20;

class ManyClasses : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
    const fs::path picture = DrawnFiles<1>().front();
    for (int label = 0; label < kClasses; ++label) {
      const fs::path folder = scratch_ / "photos" / ("class " + std::to_string(10'000 + label));
      fs::create_directories(folder);
      fs::create_hard_link(picture, folder / "a.jpg");
    }
    job_ = scratch_.Write("job.yaml",
                          TrainingYaml({.settings = std::string("memory: {host: ") + kCeiling + "}",
                                        .source = "directory: {path: photos}",
                                        .batch = "batch: {size: 32}",
                                        .features = "features: {cache: off}",
                                        .convention = "keras",
                                        .hidden_layers = "dense: {units: 16}, ",
                                        .training = "{epochs: 2, checkpoint_interval: 0s}"}));
  }

  std::vector<std::string> Arguments(const std::string& out) const {
    return {"run", job_, "--out", (scratch_ / out).string()};
  }
  std::string Model(const std::string& out) const {
    return FileText(scratch_ / out / "model/model.safetensors");
  }

  const ScratchFolder scratch_;
  std::string job_;
};

TEST_F(ManyClasses, TrainWithinThePlanAndGoOnAfterAKill) {
  const HardCgroup cgroup(kCeilingAndCode);
  const ProcessOutcome whole = Weir(Arguments("whole"), cgroup.Setup());
  ASSERT_EQ(whole.status, 0) << whole.err;
  const json summary = json::parse(FileText(scratch_ / "whole/summary.json"));
  EXPECT_LE(summary["peak_rss_anon_bytes"], summary["planned_bytes"]);

  WeirProcess killed(Arguments("killed"), cgroup.Setup());
  killed.ReadUntil("epoch 1/2 train");
  killed.Signal(SIGKILL);
  ASSERT_EQ(killed.Wait().status, 128 + SIGKILL);
  const ProcessOutcome resumed = Weir(Joined(Arguments("killed"), {"--resume"}), cgroup.Setup());
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_NE(resumed.out.find("going on in epoch "), std::string::npos) << resumed.out;
  EXPECT_TRUE(Model("killed") == Model("whole"));
  EXPECT_EQ(cgroup.kills(), 0U);
}

TEST_F(ManyClasses, AreEvaluatedWithinTheCeiling) {
  ASSERT_EQ(Weir(Arguments("run")).status, 0);
  const HardCgroup cgroup(kCeilingAndCode);
  const ProcessOutcome outcome =
      Weir({"evaluate", (scratch_ / "run").string(), (scratch_ / "photos").string(), "--json",
            "--set", std::string("memory.host=") + kCeiling},
           cgroup.Setup());
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(cgroup.kills(), 0U);
  const json figures = json::parse(outcome.out);
  EXPECT_TRUE(figures["confusion"].is_null());  // above 1,000 classes
  ASSERT_EQ(figures["per_class"].size(), static_cast<std::size_t>(kClasses));
  std::uint64_t pictures = 0, hits = 0;
  for (const auto& [name, of_class] : figures["per_class"].items()) {
    for (const auto& [taken_for, count] : of_class["taken_for"].items()) {
      pictures += count.get<std::uint64_t>();
      if (taken_for == name) hits += count.get<std::uint64_t>();
    }
  }
  EXPECT_EQ(pictures, static_cast<std::uint64_t>(kClasses));
  EXPECT_EQ(static_cast<double>(hits) / kClasses, figures["accuracy"]);
}

}  // namespace
}  // namespace weir
