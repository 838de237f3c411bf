#include "pipelines/memory_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/framework/test_stages.h"
#include "tests/support/caught_error.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::Collect;
using testing::Counting;
using testing::Gather;

constexpr std::size_t kMiB = std::size_t{1} << 20;

class MemoryWatchTest : public ::testing::Test {
 protected:
  MemoryWatchTest() : budget_(kMiB), pipeline_({.workers = 2, .on_drop = {}}, resources_) {
    pipeline_.AddMade("counting", [](BuildContext&) { return std::make_unique<Counting>(8); });
    pipeline_.AddMade("gather", [](BuildContext&) { return std::make_unique<Gather>(4, 10); });
    pipeline_.AddMade("collect",
                      [&](BuildContext&) { return std::make_unique<Collect>(batches_); });
    pipeline_.Plan(kMiB, 50);
    pipeline_.Open(budget_);
  }

  MemoryWatch Watch(std::size_t limit_bytes = 1024 * kMiB) {
    return MemoryWatch(
        pipeline_,
        {.log = log_, .limit_bytes = limit_bytes, .read_container = [this] { return container_; }});
  }

  ScratchFolder folder_;
  std::filesystem::path log_ = folder_ / "memory.json";
  std::optional<ContainerMemory> container_;
  Resources resources_;
  MemoryBudget budget_;
  std::vector<std::vector<int>> batches_;
  Pipeline pipeline_;
};

TEST_F(MemoryWatchTest, LeavesBehindWhoHeldWhat) {
  MemoryWatch watch = Watch();
  container_ = ContainerMemory{"/sys/limit", 100 * kMiB, 60 * kMiB};
  EXPECT_EQ(watch.Tick("epoch 1/2 train", 3, 8), "");
  MemorySnapshot last = MemoryLog::Read(log_);
  EXPECT_EQ(last.state, "running");
  EXPECT_EQ(last.doing, "epoch 1/2 train");
  EXPECT_EQ(last.images_done, 3u);
  EXPECT_EQ(last.images, 8u);
  EXPECT_EQ(last.limit_bytes, 1024 * kMiB);
  EXPECT_GT(last.held_bytes, 1000u);
  ASSERT_TRUE(last.container);
  EXPECT_EQ(last.container->room_bytes(), 40 * kMiB);
  ASSERT_EQ(last.holdings.size(), 3u);
  EXPECT_EQ(last.holdings[0].stage, "process");
  EXPECT_EQ(last.holdings[0].planned_bytes, 50u);
  EXPECT_EQ(last.holdings[0].bytes, last.held_bytes);  // as nobody holds anything else
  EXPECT_EQ(last.holdings[2].what, "batches on their way");
  watch.End("done");
  last = MemoryLog::Read(log_);
  EXPECT_EQ(last.state, "done");
  EXPECT_EQ(last.images_done, 3u);
}

TEST_F(MemoryWatchTest, SqueezesWhileTheContainerIsNearlyFullAndSaysSoOnce) {
  MemoryWatch watch = Watch();
  container_ = ContainerMemory{"/sys/limit", 100 * kMiB, 90 * kMiB};
  EXPECT_EQ(watch.Tick("", 0, 0), "");
  container_->held_bytes = 96 * kMiB;
  EXPECT_EQ(watch.Tick("", 0, 0),
            "memory is scarce: 4.00 MiB of 100 MiB are left (/sys/limit); going on with less at "
            "once, the result stays the same");
  EXPECT_EQ(MemoryLog::Read(log_).squeezed, "`gather`: batches on their way, 1 in place of 2");
  for (int tick = 0; tick < 100; ++tick) EXPECT_EQ(watch.Tick("", 0, 0), "");
  EXPECT_EQ(MemoryLog::Read(log_).squeezed, "`counting`: samples on their way, 1 in place of 2");
  EXPECT_EQ(pipeline_.Squeeze(), "");
}

TEST_F(MemoryWatchTest, SaysOnceThatMoreIsHeldThanTheCeiling) {
  MemoryWatch watch = Watch(kMiB);
  EXPECT_EQ(MemoryLog::Read(log_).doing, "starting");  // also of a run that ends before a tick
  EXPECT_THAT(watch.Tick("", 0, 0),
              ::testing::ContainsRegex("^[0-9.]+ MiB are held, above the ceiling of 1.00 MiB: a "
                                       "stage, or a library, holds memory that it did not lease"));
  EXPECT_EQ(watch.Tick("", 0, 0), "");
}

TEST(MemoryLogTest, SaysWhatIsWrongWithAFile) {
  const ScratchFolder folder;
  const std::string path = (folder / "memory.json").string();
  EXPECT_EQ(CaughtError([&] { MemoryLog::Read(path); }),
            "there is no " + path + "\nGive the folder of a run, begun by `weir run`.");
  folder.Write("memory.json", "{\"state\": \"running\"");
  EXPECT_EQ(CaughtError([&] { MemoryLog::Read(path); }),
            path + " is damaged, or of another version of weir\n");
  EXPECT_THAT(CaughtError([&] { MemoryLog(folder / "none/memory.json"); }),
              ::testing::StartsWith("cannot write "));
}

}  // namespace
}  // namespace weir
