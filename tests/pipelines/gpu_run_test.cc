// The whole job on a GPU, seen from outside: skipped where there is none. Where WEIR_BINARY is set
// there has to be one: it names a binary that is made for that (gpu_run_sim_test).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/left_by_run.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

class GpuRun : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto devices = nlohmann::json::parse(Weir({"devices", "--json"}).out);
    gpus_ = devices["gpus"].size();
    if (gpus_ > 0) return;
    const std::string why = devices["device"];
    if (std::getenv("WEIR_BINARY") != nullptr) FAIL() << why;
    GTEST_SKIP() << why;
  }

  // The demo on the GPU, of three epochs. What fits is told, so that the bits depend on nothing
  // else that is on the card.
  std::vector<std::string> Arguments(const std::string& out,
                                     const std::vector<std::string>& more = {}) const {
    const std::vector<std::string> own = {
        "--out", (scratch_ / out).string(), "--set", "pipeline.prefetch.device=cuda",
        "--set", "memory.host=4GiB",        "--set", "training.micro_batch=16",
        "--set", "training.epochs=3"};
    return DrawnDemo("run", Joined(own, more));
  }
  void Run(const std::string& out, const std::vector<std::string>& more = {}) const {
    const ProcessOutcome outcome = Weir(Arguments(out, more));
    ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  }
  // The line of `weir plan` that says where the demo would run on one thread.
  static std::string PlannedDevice(const std::vector<std::string>& more) {
    const std::vector<std::string> own = {"--set", "memory.host=4GiB", "--set", "threads=1"};
    const ProcessOutcome outcome = Weir(DrawnDemo("plan", Joined(own, more)));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return DeviceLine(outcome.out);
  }
  static std::string DeviceLine(const std::string& out) {
    const std::size_t begin = out.find("\ndevice: ") + 1;
    return out.substr(begin, out.find('\n', begin) - begin);
  }
  nlohmann::json Summary(const std::string& out) const { return SummaryIn(scratch_ / out); }
  std::string Weights(const std::string& out) const { return WeightsIn(scratch_ / out); }
  nlohmann::json Evaluated(const std::string& out, const std::string& device) const {
    const ProcessOutcome outcome =
        Weir({"evaluate", (scratch_ / out).string(), DrawnPictures().string(), "--json", "--set",
              "pipeline.prefetch.device=" + device});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }

  const ScratchFolder scratch_;
  std::size_t gpus_ = 0;
};

TEST_F(GpuRun, LearnsAndLeavesAModelThatTheHostAgreesWith) {
  const ProcessOutcome outcome = Weir(Arguments("run", {"--set", "training.epochs=10"}));
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(" is there; its ceiling is "));
  EXPECT_GE(Summary("run")["best_validation_accuracy"], 0.9);
  EXPECT_LE(Summary("run")["peak_rss_anon_bytes"], std::size_t{4} << 30);
  const auto plan = nlohmann::json::parse(FileText(scratch_ / "run/plan.json"));
  EXPECT_GT(Summary("run")["peak_device_bytes"], 0);
  EXPECT_LE(Summary("run")["peak_device_bytes"], plan["device"]["limit_bytes"]);
  const std::string name = plan["device"]["name"];
  EXPECT_THAT(Weir({"explain", (scratch_ / "run").string()}).out, HasSubstr(" on " + name + " "));
  const auto on_gpu = Evaluated("run", "cuda"), on_host = Evaluated("run", "cpu");
  EXPECT_NEAR(on_gpu["loss"].get<double>(), on_host["loss"].get<double>(), 1e-3);
  EXPECT_NEAR(on_gpu["accuracy"].get<double>(), on_host["accuracy"].get<double>(), 0.01);
}

TEST_F(GpuRun, LearnsWithEverythingUnfrozen) {
  Run("run", {"--set", "model.frozen=none"});
  const auto evaluated = Evaluated("run", "cuda");
  EXPECT_LT(evaluated["loss"].get<double>(), 1.0);
}

// What learns is float32 on either side, and the features differ in the last of their digits.
TEST_F(GpuRun, LearnsFromFeaturesInTf32) {
  Run("run", {"--set", "pipeline.features.precision=tf32"});
  EXPECT_LT(Evaluated("run", "cuda")["loss"].get<double>(), 1.0);
  const ProcessOutcome on_host =
      Weir({"evaluate", (scratch_ / "run").string(), DrawnPictures().string(), "--set",
            "pipeline.prefetch.device=cpu"});
  EXPECT_EQ(on_host.status, 2);
  EXPECT_THAT(on_host.err, HasSubstr("Set precision: float32, or bfloat16."));
}

TEST_F(GpuRun, InterruptedAndGoneOnWithItGivesTheSameModel) {
  Run("whole");
  {
    WeirProcess process(Arguments("stopped", {"--set", "training.checkpoint_interval=100ms"}));
    process.ReadUntil("epoch 1/3 validation");
    process.Signal(SIGINT);
    ASSERT_EQ(process.Wait().status, 130);
  }
  Run("stopped", {"--resume"});
  EXPECT_TRUE(Weights("stopped") == Weights("whole"));
}

TEST_F(GpuRun, KilledInItsSecondPhaseGoesOnToTheSameModel) {
  const std::vector<std::string> phases = {
      "--set",
      "training.phases=[{name: head, epochs: 2}, {name: fine_tune, epochs: 2, "
      "frozen: {through: block_12}, optimizer: {lamb: {learning_rate: 1e-4, clip_norm: 1, "
      "layer_decay: 0.9}}, ema: {decay: 0.9}, schedule: {cosine: {warm_up: {steps: 2}}}}]",
      "--set", "training.checkpoint_interval=100ms"};
  Run("whole", phases);
  {
    WeirProcess process(Arguments("killed", phases));
    process.ReadUntil("epoch 3/4 train");
    process.Signal(SIGKILL);
    ASSERT_EQ(process.Wait().status, 128 + SIGKILL);
  }
  Run("killed", Joined(phases, {"--resume"}));
  EXPECT_TRUE(Weights("killed") == Weights("whole"));
}

// A head, whose features the ranks tell each other, and then a part of the backbone, whose
// gradients they add up.
TEST_F(GpuRun, RanksWithAGpuEachLearnToTheBytesOfOne) {
  if (gpus_ < 2) GTEST_SKIP() << "there is one GPU";
  const std::vector<std::string> phases = {
      "--set", "training.micro_batch=4", "--set",
      "training.phases=[{name: head, epochs: 1}, {name: fine_tune, epochs: 1, "
      "frozen: {through: block_14}}]"};
  Run("one", Joined(phases, {"--ranks", "1"}));
  const ProcessOutcome outcome = Weir(Arguments("two", Joined(phases, {"--ranks", "2"})));
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("the ranks' GPUs add up gradients by NCCL"));
  EXPECT_TRUE(Weights("two") == Weights("one"));
}

constexpr const char* kTooFew = ", too few for a GPU to pay off; `device: cuda` takes it anyway";
constexpr const char* kLong = " is there, and the processor would need some ";

TEST_F(GpuRun, AutoLeavesAShortJobToTheHost) {
  const ProcessOutcome outcome =
      Weir(DrawnDemo("run", {"--out", (scratch_ / "run").string(), "--set", "memory.host=4GiB",
                             "--set", "threads=1", "--set", "training.epochs=1"}));
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_EQ(DeviceLine(outcome.out),
            std::string("device: cpu, as the processor needs some 1 s for this job") + kTooFew);
  EXPECT_FALSE(Summary("run").contains("peak_device_bytes"));
  const std::string cuda = PlannedDevice({"--set", "training.epochs=1", "--set", "device=cuda"});
  EXPECT_THAT(cuda, HasSubstr(" is there; its ceiling is "));
  EXPECT_THAT(Evaluated("run", "auto")["accuracy"], Evaluated("run", "cpu")["accuracy"]);
}

TEST_F(GpuRun, AutoCountsAllPhasesTogether) {
  const std::string head = "{name: head, epochs: 65}", tuning = "{name: tuning, epochs: 65}";
  const auto planned = [](const std::string& phases) {
    return PlannedDevice({"--set", "training.phases=[" + phases + "]"});
  };
  EXPECT_THAT(planned(head), HasSubstr(kTooFew));
  EXPECT_THAT(planned(tuning), HasSubstr(kTooFew));
  EXPECT_THAT(planned(head + ", " + tuning), HasSubstr(kLong));
}

TEST_F(GpuRun, AutoCountsAPictureOnceWhoseFeaturesAreKept) {
  const auto planned = [](const std::string& cache) {
    return PlannedDevice({"--set", "training.epochs=600", "--set", "model.frozen=all", "--set",
                          "pipeline.augment={size: [80, 80]}", "--set",
                          "pipeline.features.cache=" + cache});
  };
  EXPECT_THAT(planned("auto"), HasSubstr(kTooFew));
  EXPECT_THAT(planned("off"), HasSubstr(kLong));
}

// The first phase could last long, and is stopped early; the second is short.
TEST_F(GpuRun, AutoTakesTheSameDeviceWhereARunGoesOn) {
  const std::vector<std::string> phases = {
      "--set",
      "training.phases=[{name: head, epochs: 2000, early_stopping: {patience: 1, min_delta: 9}}, "
      "{name: tuning, epochs: 2}]"};
  const std::vector<std::string> arguments =
      DrawnDemo("run", Joined({"--out", (scratch_ / "run").string(), "--set", "memory.host=4GiB",
                               "--set", "threads=1", "--set", "training.checkpoint_interval=100ms"},
                              phases));
  {
    WeirProcess process(arguments);
    process.ReadUntil("phase 2 of 2");
    process.ReadUntil("epoch 3/4 validation");
    process.Signal(SIGKILL);
    ASSERT_EQ(process.Wait().status, 128 + SIGKILL);
  }
  EXPECT_THAT(PlannedDevice(phases), HasSubstr(kLong));
  const ProcessOutcome outcome = Weir(Joined(arguments, {"--resume"}));
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_THAT(DeviceLine(outcome.out), HasSubstr(kLong));
  EXPECT_THAT(outcome.out, HasSubstr("phase 2 of 2"));
}

// The bill is that of the host alone, and the card would have to be opened for each block.
TEST_F(GpuRun, ThePlanDoesNotSayWhatElseCouldLearn) {
  const ProcessOutcome outcome = Weir(DrawnDemo(
      "plan", {"--json", "--set", "pipeline.prefetch.device=cuda", "--set", "memory.host=4GiB"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_FALSE(nlohmann::json::parse(outcome.out).contains("could_learn"));
}

}  // namespace
}  // namespace weir
