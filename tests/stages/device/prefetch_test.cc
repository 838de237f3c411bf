#include "stages/device/prefetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/config/yaml_text.h"

namespace weir {
namespace {

TEST(Prefetch, HandsBatchesOverOnTheHost) {
  Resources resources;
  MemoryBudget budget(0);
  BuildContext build{.upstream = {{2, 1, 1, 3}, 6}, .resources = resources};
  Prefetch prefetch({.device = {DeviceSelection::Kind::kCpu}, .depth = 3}, build);
  OpenContext open{.budget = budget};
  prefetch.Open(open);

  Batch batch;
  batch.pixels = AlignedBuffer<std::uint8_t>(6);
  const std::uint8_t* pixels = batch.pixels.data();
  const Pass pass;
  StageContext context(pass, 0, [] { return false; });
  const Batch out = std::get<Batch>(prefetch.Map(std::move(batch), context));
  EXPECT_EQ(out.pixels.data(), pixels);

  EXPECT_THAT(prefetch.output().dims, testing::ElementsAre(2, 1, 1, 3));
  EXPECT_EQ(prefetch.footprint().held_bytes(), 0u);
  EXPECT_EQ(prefetch.footprint().max_items, 5);  // 3 ready, 1 that fills, 1 in use
  EXPECT_EQ(resources.Find<ChosenDevice>()->device, nullptr);
}

TEST(Prefetch, AsksForNoMoreBatchesOnTheHostThanOthersDo) {
  Resources resources;
  BuildContext build{.upstream = {{2, 1, 1, 3}, 6}, .resources = resources};
  Prefetch prefetch({.device = {DeviceSelection::Kind::kCpu}}, build);
  EXPECT_EQ(prefetch.footprint().max_items, 0);
}

// Each of several processes takes a GPU of its own, unless one is named.
TEST(Prefetch, TakesTheGpuOfItsProcess) {
  using Kind = DeviceSelection::Kind;
  for (const DeviceSelection of_job : {DeviceSelection{Kind::kCuda}, {Kind::kAuto}}) {
    const JobDevice job{.selection = of_job, .own_gpu = 3};
    EXPECT_EQ(job.For({Kind::kAuto}), (DeviceSelection{of_job.kind, 3}));
    EXPECT_EQ(job.For({Kind::kCuda}), (DeviceSelection{Kind::kCuda, 3}));
    EXPECT_EQ(job.For({Kind::kCuda, 1}), (DeviceSelection{Kind::kCuda, 1}));
    EXPECT_EQ(job.For({Kind::kCpu}), (DeviceSelection{Kind::kCpu}));
  }
}

TEST(Prefetch, TakesTheJobsDeviceWhereItsOwnIsAuto) {
  using Kind = DeviceSelection::Kind;
  const auto reason = [](Kind job, Kind own) {
    Resources resources;
    resources.Put(std::make_shared<JobDevice>(JobDevice{{job}}));
    BuildContext build{.upstream = {{2, 1, 1, 3}, 6}, .resources = resources};
    Prefetch prefetch({.device = {own}}, build);
    return resources.Find<ChosenDevice>()->reason;
  };
  EXPECT_EQ(reason(Kind::kCpu, Kind::kAuto), "`device: cpu` says so");
  EXPECT_EQ(reason(Kind::kAuto, Kind::kCpu), "`device: cpu` says so");
  EXPECT_NE(reason(Kind::kAuto, Kind::kAuto), "`device: cpu` says so");
}

TEST(Prefetch, ReadsItsDevice) {
  for (const char* device : {"auto", "cpu", "cuda", "cuda:12"}) {
    EXPECT_EQ(ProblemsOf<Prefetch::Params>("device: " + std::string(device)), "");
  }
  EXPECT_EQ(ProblemsOf<Prefetch::Params>("device: cuda:x"),
            "a.yaml:1:9: `device` takes auto, cpu, cuda or cuda:N, not `cuda:x`\n"
            "    1 | device: cuda:x\n"
            "      |         ^");
  EXPECT_EQ(ProblemsOf<Prefetch::Params>("depth: 17"),
            "a.yaml:1:8: `depth` takes auto or 1 to 16, not 17\n"
            "    1 | depth: 17\n"
            "      |        ^");
}

}  // namespace
}  // namespace weir
