// The ceiling holds, seen from outside: by a kernel that would kill, and by looking at the process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/memory/drawn_job.h"
#include "tests/memory/held_peak.h"
#include "tests/support/drawn_pictures.h"
#include "tests/support/environment_number.h"
#include "tests/support/file_text.h"
#include "tests/support/hard_cgroup.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string MiB(std::size_t bytes) { return std::to_string(bytes >> 20) + "MiB"; }

// Two lines: what does not fit, and what to do. Between them stands the table of the plan.
void ExpectRefusal(const ProcessOutcome& outcome, std::size_t ceiling_bytes) {
  EXPECT_THAT(outcome.err, AllOf(StartsWith("weir: this job does not fit in "),
                                 HasSubstr("\n  Raise memory.host (or --memory) to ")))
      << "in " << MiB(ceiling_bytes);
}

// The data are six classes of six drawn pictures.
std::string Job(int epochs) {
  return TrainingYaml(
      {.settings = "memory: {host: auto}",
       .source = "directory: {path: " + DrawnPictures<6>().string() + ", validation_split: 0.3}",
       .picture_stages = {"augment: {size: [96, 96], zoom: 0.1, horizontal_flip: true}"},
       .convention = "keras",
       .frozen = "{through: block_8}",
       .training = "{epochs: " + std::to_string(epochs) + "}"});
}

// The limit comes near while a run goes on, as when others fill the container.
TEST(HardLimit, LoweredWhileARunGoesOnItIsNotRunInto) {
  if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
  const ScratchFolder scratch;
  const std::string job = scratch.Write("job.yaml", Job(20)).string();
  const auto arguments = [&](const std::string& out) {
    return std::vector<std::string>{"run", job, "--out", (scratch / out).string()};
  };
  ASSERT_EQ(Weir(arguments("free")).status, 0);
  const HardCgroup cgroup(std::size_t{512} << 20);
  WeirProcess process(arguments("squeezed"), cgroup.Setup());
  process.ReadUntil("epoch 2/20 train");
  cgroup.LowerTo(cgroup.held_bytes() + (std::size_t{4} << 20));
  const ProcessOutcome outcome = process.Wait();
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(cgroup.kills(), 0U);
  const std::size_t said = outcome.out.find("memory is scarce: ");
  ASSERT_NE(said, std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("memory is scarce: ", said + 1), std::string::npos);
  EXPECT_TRUE(FileText(scratch / "squeezed/model/model.safetensors") ==
              FileText(scratch / "free/model/model.safetensors"));
}

TEST(HardLimit, OfTheKernelIsNeverRunInto) {
  if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
  const ScratchFolder scratch;
  const std::string job = scratch.Write("job.yaml", Job(1)).string();
  const auto run = [&](const std::string& out, const ProcessSetup& setup) {
    return Weir({"run", job, "--out", (scratch / out).string()}, setup);
  };
  const ProcessOutcome free = run("free", {});
  ASSERT_EQ(free.status, 0) << free.err;
  const std::string model = FileText(scratch / "free/model/model.safetensors");
  ASSERT_FALSE(model.empty());

  int finished = 0, refused = 0;
  for (const std::size_t limit_mib : {28, 48, 56, 64, 320}) {
    const std::size_t limit_bytes = limit_mib << 20;
    const HardCgroup cgroup(limit_bytes);
    const std::string out = MiB(limit_bytes);
    const ProcessOutcome outcome = run(out, cgroup.Setup());
    EXPECT_EQ(cgroup.kills(), 0U) << "in " << out << ": " << outcome.err;
    std::printf("in %s: status %d, %s charged at most\n", out.c_str(), outcome.status,
                MiB(cgroup.peak_bytes()).c_str());
    if (outcome.status == 3) {
      ++refused;
      ExpectRefusal(outcome, limit_bytes);
      EXPECT_FALSE(fs::exists(scratch / out));
      continue;
    }
    ++finished;
    ASSERT_EQ(outcome.status, 0) << "in " << out << ": " << outcome.err;
    EXPECT_TRUE(FileText(scratch / out / "model/model.safetensors") == model) << "in " << out;
  }
  EXPECT_GE(finished, 2);
  EXPECT_GE(refused, 1);
}

// The smallest ceiling that the plan says is enough, in whole MiB.
std::size_t Smallest(const std::string& job) {
  const ProcessOutcome outcome = Weir({"plan", job, "--json", "--memory", "8GiB"});
  if (outcome.status != 0) return 0;
  const std::size_t bytes = nlohmann::json::parse(outcome.out)["smallest_bytes"];
  // One MiB more: what the process holds when it plans is not the same to the page.
  return ((bytes >> 20) + 2) << 20;
}

// A job in its ceiling: it ends well and never held more, or it is refused.
void ExpectWithin(const DrawnJob& drawn) {
  const ScratchFolder scratch;
  const std::string job = scratch.Write("job.yaml", drawn.yaml).string();
  const std::size_t smallest = drawn.is_tight ? Smallest(job) : 0;
  const std::size_t ceiling = smallest > 0 ? smallest : drawn.ceiling_bytes;
  SCOPED_TRACE("--memory " + std::to_string(ceiling) + " of\n" + drawn.yaml);
  const fs::path out = scratch / "run";
  WeirProcess process({"run", job, "--out", out.string(), "--memory", std::to_string(ceiling)});
  const HeldPeak held(process.id());
  const ProcessOutcome outcome = process.Wait();
  std::printf("status %d, held %zu KiB of %zu KiB\n", outcome.status, held.bytes() >> 10,
              ceiling >> 10);
  if (outcome.status == 3) {
    ExpectRefusal(outcome, ceiling);
    EXPECT_EQ(smallest, 0U) << "refused in the ceiling that the plan calls enough";
    EXPECT_FALSE(fs::exists(out));
    return;
  }
  // Some of what is drawn cannot learn.
  const bool diverged = outcome.err.find("the training diverged") != std::string::npos;
  EXPECT_TRUE(outcome.status == 0 || diverged) << outcome.err;
  EXPECT_LE(held.bytes(), ceiling);
}

// WEIR_MEMORY_PAIRS jobs, 12 where it is not set, drawn from WEIR_MEMORY_SEED.
TEST(Ceiling, HoldsForAnyJob) {
  const std::size_t pairs = EnvironmentNumber("WEIR_MEMORY_PAIRS", 12);
  const std::size_t seed = EnvironmentNumber("WEIR_MEMORY_SEED", 1);
  std::printf("WEIR_MEMORY_SEED=%zu WEIR_MEMORY_PAIRS=%zu\n", seed, pairs);
  std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
  for (std::size_t pair = 0; pair < pairs; ++pair)
    ExpectWithin(DrawJob(random, DrawnPictures<6>()));
}

}  // namespace
}  // namespace weir
