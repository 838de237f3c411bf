// Ranks that have a container each: each keeps to its ceiling, as a kernel that would kill and a
// look at the process tell.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/memory/within_ceiling.h"
#include "tests/support/drawn_pictures.h"
#include "tests/support/hard_cgroup.h"
#include "tests/support/launched_ranks.h"
#include "tests/support/left_by_run.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
// What being one of several may add: Gloo's buffers and threads, and the other thread that works
// while one waits.
constexpr std::size_t kMostAdded = 8 * kMiB;

nlohmann::json PlanOf(const std::string& job, int ranks) {
  const ProcessOutcome outcome =
      Weir({"plan", job, "--json", "--memory", "8GiB", "--ranks", std::to_string(ranks)});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return nlohmann::json::parse(outcome.out);
}

class RanksMemory : public ::testing::TestWithParam<const char*> {
 protected:
  // As a launcher starts it that has it alone on its machine.
  std::unique_ptr<ProcessWithinCeiling> Start(int rank, int ranks, std::size_t ceiling) const {
    return std::make_unique<ProcessWithinCeiling>(
        std::vector<std::string>{"run", job_, "--out", Out(ranks).string()}, ceiling,
        ranks > 1 ? LaunchedRank(rank, ranks, port_) : std::vector<std::string>{});
  }
  std::filesystem::path Out(int ranks) const { return scratch_ / std::to_string(ranks); }

  const ScratchFolder scratch_;
  const std::uint16_t port_ = FreePort();
  const std::string job_ =
      scratch_
          .Write(
              "job.yaml",
              TrainingYaml({.settings = "threads: 1\nranks: {}",
                            .source = "directory: {path: " + DrawnPictures<8>().string() +
                                      ", validation_split: 0.25}",
                            .picture_stages = {"augment: {size: [64, 64], horizontal_flip: true}"},
                            .batch = "batch: {size: 16}",
                            .frozen = GetParam()}))
          .string();
};

TEST_P(RanksMemory, EachKeepsToItsCeilingInACgroupOfItsOwn) {
  if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
  constexpr int kRanks = 2;
  const nlohmann::json plan = PlanOf(job_, kRanks);
  // In whole MiB and one more, as what a process holds when it plans is not the same to the page.
  const std::size_t ceiling = (plan["smallest_bytes"].get<std::size_t>() / kMiB + 2) * kMiB;

  const auto alone = Start(0, 1, ceiling);
  ASSERT_EQ(alone->Wait().status, 0);
  std::vector<std::unique_ptr<ProcessWithinCeiling>> ranks;
  for (int rank = 0; rank < kRanks; ++rank) ranks.push_back(Start(rank, kRanks, ceiling));
  std::size_t most = 0;
  for (const auto& rank : ranks) {
    const ProcessOutcome outcome = rank->Wait();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    most = std::max(most, rank->held_bytes());
  }
  std::printf("frozen: %s: %zu KiB alone, %zu KiB as one of %d\n", GetParam(),
              alone->held_bytes() >> 10, most >> 10, kRanks);
  EXPECT_LE(most, alone->held_bytes() + kMostAdded);
  EXPECT_TRUE(ModelIn(Out(kRanks)) == ModelIn(Out(1)));
  EXPECT_FALSE(ModelIn(Out(1)).empty());
}

INSTANTIATE_TEST_SUITE_P(, RanksMemory, ::testing::Values("all", "none"));

}  // namespace
}  // namespace weir
