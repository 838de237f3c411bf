#include "pipelines/record/memory_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/framework/flow/test_stages.h"
#include "tests/support/caught_error.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using testing::Collect;
using testing::Counting;
using testing::Gather;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr const char* kDamaged =
    " is damaged, or of another version of weir\nThe run itself may be whole: see its "
    "metrics.jsonl, or go on with --resume.";

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
    return MemoryWatch(pipeline_, {.log = log_,
                                   .limit_bytes = limit_bytes,
                                   .read_container = [this] { return container_; },
                                   .read_device = [this] { return device_; }});
  }

  ScratchFolder folder_;
  std::filesystem::path log_ = folder_ / "memory.json";
  std::optional<ContainerMemory> container_;
  std::optional<DeviceHolding> device_;
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

TEST_F(MemoryWatchTest, LeavesBehindWhatIsHeldOnTheGpu) {
  MemoryWatch watch = Watch();
  watch.Tick("", 0, 0);
  EXPECT_FALSE(MemoryLog::Read(log_).device);
  device_ = DeviceHolding{"GPU", 100 * kMiB, 60 * kMiB, 70 * kMiB};
  watch.Tick("", 0, 0);
  const auto last = MemoryLog::Read(log_).device;
  ASSERT_TRUE(last);
  EXPECT_EQ(last->name, "GPU");
  EXPECT_EQ(last->limit_bytes, 100 * kMiB);
  EXPECT_EQ(last->bytes, 60 * kMiB);
  EXPECT_EQ(last->peak_bytes, 70 * kMiB);
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
  MemoryWatch watch = Watch(kMiB / 16);
  EXPECT_EQ(MemoryLog::Read(log_).doing, "starting");  // also of a run that ends before a tick
  EXPECT_THAT(watch.Tick("", 0, 0),
              ::testing::ContainsRegex("^[0-9.]+ [KM]iB are held, above the ceiling of 64.0 KiB: a "
                                       "stage, or a library, holds memory that it did not lease"));
  EXPECT_EQ(watch.Tick("", 0, 0), "");
}

TEST(MemoryLogTest, CanBeReadAgainWhateverWasWrittenBefore) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder / "memory.json";
  MemorySnapshot large, small;
  large.state = "failed: " + std::string(100'000, '\x01');
  large.doing = "M\xfcller";
  for (int i = 0; i < 5'000; ++i)
    large.holdings.push_back({.stage = std::string(300, '\x02'), .what = "rows"});
  {
    MemoryLog log(path);
    log.Write(large);
    EXPECT_EQ(MemoryLog::Read(path).holdings.size(), 500u);
    EXPECT_LT(std::filesystem::file_size(path), kMiB);
    log.Write(small);
    EXPECT_EQ(MemoryLog::Read(path).state, "running");
    log.Write(large);
  }
  MemoryLog(path).Write(small);
  EXPECT_EQ(MemoryLog::Read(path).state, "running");
}

TEST(MemoryLogTest, SaysWhatIsWrongWithAFile) {
  const ScratchFolder folder;
  const std::string path = (folder / "memory.json").string();
  EXPECT_EQ(CaughtError([&] { MemoryLog::Read(path); }),
            path +
                " cannot be opened: No such file or directory\nGive the folder of a run, begun by "
                "`weir run`.");
  folder.Write("memory.json", "{\"state\": \"running\"");
  EXPECT_EQ(CaughtError([&] { MemoryLog::Read(path); }), path + kDamaged);
  EXPECT_THAT(CaughtError([&] { MemoryLog(folder / "none/memory.json"); }),
              ::testing::HasSubstr("cannot be written: the folder "));
}

// Whatever stands in a field: words.
TEST(MemoryLogTest, RefusesAnyFieldThatIsWrong) {
  const ScratchFolder folder;
  const auto path = folder / "memory.json";
  MemorySnapshot snapshot;
  snapshot.doing = "epoch 1";
  snapshot.holdings = {{"train", "weights", 1, 2, 3}};
  snapshot.container = ContainerMemory{"/sys/limit", std::size_t{1} << 63, 1};
  MemoryLog(path).Write(snapshot);
  const auto whole = nlohmann::json::parse(FileText(path));
  EXPECT_EQ(MemoryLog::Read(path).doing, "epoch 1");
  for (const auto& [key, value] : whole.items()) {
    for (const char* wrong :
         {"null", "-1", "1e300", "1.5", "18446744073709551615", "[[]]", "{}", "true"}) {
      nlohmann::json damaged = whole;
      damaged[key] = nlohmann::json::parse(wrong);
      folder.Write("memory.json", damaged.dump());
      EXPECT_EQ(CaughtError([&] { MemoryLog::Read(path); }), path.string() + kDamaged)
          << key << ": " << wrong;
    }
    nlohmann::json lacking = whole;
    lacking.erase(key);
    folder.Write("memory.json", lacking.dump());
    // Runs of earlier versions have no begin, and those in no container none of that.
    if (key == "process_begin" || key == "container") continue;
    EXPECT_EQ(CaughtError([&] { MemoryLog::Read(path); }), path.string() + kDamaged) << key;
  }
  for (const char* wrong : {"[]", "7", "", "{\"state\":\"\xff\"}"}) {
    folder.Write("memory.json", wrong);
    EXPECT_EQ(CaughtError([&] { MemoryLog::Read(path); }), path.string() + kDamaged);
  }
}

TEST(MemoryLogTest, WhatATextHoldsDoesNotSpeakToTheTerminal) {
  const ScratchFolder folder;
  const auto path = folder / "memory.json";
  MemorySnapshot snapshot;
  snapshot.state = "failed: a\x1b[2J\nb";
  MemoryLog(path).Write(snapshot);
  EXPECT_EQ(MemoryLog::Read(path).state, "failed: a\\x1b[2J\\x0ab");
}

}  // namespace
}  // namespace weir
