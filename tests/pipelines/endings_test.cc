// However a run ends, it says in words what went wrong, and what it leaves is whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/drawn_pictures.h"
#include "tests/support/sanitizer.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A small job, made once: six classes of six drawn pictures.
const fs::path& Job() {
  static const ScratchFolder folder;
  static const fs::path job = folder.Write(
      "job.yaml", TrainingYaml({.source = "directory: {path: " + DrawnPictures<6>().string() +
                                          ", validation_split: 0.17}",
                                .picture_stages = {"augment: {size: [32, 32], zoom: 0.1}"},
                                .batch = "batch: {size: 4}",
                                .convention = "torchvision",
                                .frozen = "{through: block_14}",
                                .training = "{epochs: 1, checkpoint_interval: 0s}"}));
  return job;
}

std::vector<std::string> RunIn(const fs::path& out, const std::vector<std::string>& more = {}) {
  return Joined({"run", Job().string(), "--out", out.string()}, more);
}

// With a limit on the process, and no longer than 60 seconds.
ProcessSetup Limited(int resource, std::size_t most) {
  ProcessSetup setup;
  setup.in_child = [resource, most] {
    const rlimit limit{most, most};
    setrlimit(static_cast<__rlimit_resource>(resource), &limit);
    alarm(60);
  };
  return setup;
}

TEST(Endings, OfTwoRunsWithOneFolderOneGoesOn) {
  const ScratchFolder scratch;
  for (int i = 0; i < 3; ++i) {
    const fs::path out = scratch / std::to_string(i);
    WeirProcess one(RunIn(out)), other(RunIn(out));
    const ProcessOutcome first = one.Wait(), second = other.Wait();
    EXPECT_EQ(first.status + second.status, 2);
    const ProcessOutcome& refused = first.status == 0 ? second : first;
    // The other one has the folder for a moment before it has written down who it is.
    const std::string in_use = "weir: " + out.string() + " is in use by another run: ";
    EXPECT_THAT(refused.err,
                AnyOf(StartsWith(in_use + "process "), StartsWith(in_use + "another process\n"),
                      StartsWith("weir: " + out.string() + " holds a run already\n")));
  }
}

TEST(Endings, ARunThatGoesOnIsNotResumedAndOneThatWasKilledIs) {
  const ScratchFolder scratch;
  const fs::path out = scratch / "run";
  WeirProcess process(RunIn(out, {"--set", "training.epochs=1000"}));
  process.ReadUntil("epoch 1/1000 train");
  const ProcessOutcome refused = Weir(RunIn(out, {"--resume"}));
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err,
              StartsWith("weir: " + out.string() + " is in use by another run: process " +
                         std::to_string(process.id()) + " on "));
  process.Signal(SIGKILL);
  // Before it is asked after: a zombie.
  siginfo_t ended{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(process.id()), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_THAT(Weir({"explain", out.string()}).out, StartsWith(out.string() + " was killed: "));
  const ProcessOutcome resumed = Weir(RunIn(out, {"--resume", "--set", "training.epochs=1"}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  process.Wait();
}

TEST(Endings, WhatIsNoFileIsRefusedAtOnce) {
  const ScratchFolder scratch;
  const fs::path pipe = scratch / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const ProcessSetup at_once = Limited(RLIMIT_CORE, 0);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"plan", pipe.string()},
        {"plan", Job().string(), "--set", "plugins=[" + pipe.string() + "]"},
        {"run", Job().string(), "--set", "model.backbone.weights=" + pipe.string()},
        {"explain", pipe.string()},
        {"predict", pipe.string(), pipe.string()}}) {
    const ProcessOutcome outcome = Weir(arguments, at_once);
    EXPECT_THAT(outcome.status, AnyOf(2, 4)) << arguments.back() << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(pipe.string()));
  }
}

TEST(Endings, AFileThatMayNotGrowEndsInWordsAndTearsNothing) {
  const ScratchFolder scratch;
  const fs::path out = scratch / "run";
  // Enough for the small files, and not for a checkpoint.
  const ProcessOutcome outcome = Weir(RunIn(out), Limited(RLIMIT_FSIZE, 16 << 10));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot be written: File too large\n"),
                                 HasSubstr("raise the limit (`ulimit -f`)")));
  EXPECT_FALSE(fs::exists(out / "checkpoint/latest.safetensors"));
  EXPECT_THAT(Weir({"explain", out.string()}).out,
              ContainsRegex("^" + out.string() + " ended at .*: failed: .* cannot be written: "));
  EXPECT_EQ(Weir(RunIn(out, {"--resume"})).status, 0);
}

TEST(Endings, AFolderThatIsRemovedMeanwhileIsNamed) {
  const ScratchFolder scratch;
  const fs::path out = scratch / "run";
  WeirProcess process(RunIn(out, {"--set", "training.epochs=1000"}));
  process.ReadUntil("epoch 1/1000 train");
  fs::rename(out, scratch / "elsewhere");
  const ProcessOutcome outcome = process.Wait();
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr(": the folder " + out.string() + " is not there\n"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("ree space")));
  EXPECT_THAT(Weir({"explain", (scratch / "elsewhere").string()}).out, HasSubstr(": failed: "));
}

// Limits on addresses count stacks and what libraries map too.
TEST(Endings, UnderALimitOnAddressesARunWorksOrIsRefusedInWords) {
  if (kHasSanitizer) GTEST_SKIP() << "a sanitizer takes all addresses";
  const ScratchFolder scratch;
  for (const auto& [resource, sizes_mib] :
       {std::pair{static_cast<int>(RLIMIT_DATA), std::vector<std::size_t>{20, 40, 80, 120, 400}},
        std::pair{static_cast<int>(RLIMIT_AS), std::vector<std::size_t>{620, 700, 760, 4000}}}) {
    for (const std::size_t mib : sizes_mib) {
      const fs::path out = scratch / (std::to_string(resource) + "-" + std::to_string(mib));
      const ProcessOutcome outcome =
          Weir(RunIn(out, {"--set", "threads=3"}), Limited(resource, mib << 20));
      if (outcome.status == 127) continue;  // the loader found no room for the libraries
      EXPECT_THAT(outcome.status, AnyOf(0, 3)) << mib << " MiB: " << outcome.err;
      if (outcome.status == 0) continue;
      EXPECT_THAT(outcome.err, AllOf(StartsWith("weir: "), HasSubstr("\n  "))) << mib << " MiB";
    }
    const fs::path out = scratch / (std::to_string(resource) + "-roomy");
    EXPECT_EQ(Weir(RunIn(out), Limited(resource, std::size_t{4} << 30)).status, 0);
  }
}

TEST(Endings, WithoutProcItSaysWhatItNeedsItFor) {
  const ScratchFolder scratch;
  ProcessSetup setup;
  setup.in_child = [] {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", "/proc", "tmpfs", 0, nullptr) != 0) {
      _exit(77);
    }
  };
  const ProcessOutcome outcome = Weir(RunIn(scratch / "run"), setup);
  if (outcome.status == 77) GTEST_SKIP() << "this user may not mount";
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr("weir: /proc/meminfo does not say how much memory there is\n"
                                     "  Mount /proc"));
}

}  // namespace
}  // namespace weir
