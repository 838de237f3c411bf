#include "stages/features/host_prefix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <stdexcept>

#include "framework/flow/parallel.h"

namespace weir {
namespace {

// Gives the sum of the pixels and their number, and watches its workspaces.
class Summing final : public FrozenPrefix {
 public:
  struct Watched : Workspace {
    explicit Watched(std::atomic<int>& all) : all(all) { ++all; }
    ~Watched() override { --all; }
    std::atomic<int>& all;
    std::atomic<bool> in_use{false};
  };

  explicit Summing(std::atomic<int>& workspaces) : workspaces_(workspaces) {}
  std::size_t weights_bytes() const override { return 0; }
  std::size_t workspace_bytes() const override { return 0; }
  std::size_t output_values() const override { return 2; }
  std::unique_ptr<Workspace> MakeWorkspace() const override {
    return std::make_unique<Watched>(workspaces_);
  }
  void Run(const std::uint8_t* pixels, Workspace& workspace, float* output) const override {
    auto& watched = static_cast<Watched&>(workspace);
    EXPECT_FALSE(watched.in_use.exchange(true)) << "two threads share a workspace";
    output[0] = 0;
    output[1] = kPixels;
    for (int i = 0; i < kPixels; ++i) output[0] += pixels[i];
    watched.in_use = false;
  }

  static constexpr int kPixels = 4 * 4 * 3;

 private:
  std::atomic<int>& workspaces_;  // how many there are
};

Batch MakeBatch(int samples) {
  Batch batch;
  batch.height = batch.width = 4;
  batch.pixels = AlignedBuffer<std::uint8_t>((samples + 2) * Summing::kPixels);
  for (int i = 0; i < samples; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    batch.samples.push_back({.index = index, .label = i % 2, .path = "", .order = 70 + index});
    std::fill_n(batch.pixels.data() + i * Summing::kPixels, Summing::kPixels, i);
  }
  return batch;
}

void ExpectSums(const FeatureBatch& features, int samples) {
  ASSERT_EQ(features.size(), samples);
  ASSERT_EQ(features.values.size(), 2u * samples);
  for (int i = 0; i < samples; ++i) {
    EXPECT_EQ(features.samples[i].index, static_cast<std::uint64_t>(i));
    EXPECT_EQ(features.values.data()[2 * i], i * Summing::kPixels);
  }
}

TEST(HostPrefix, GivesEachSampleItsFeaturesInTheOrderOfTheBatch) {
  std::atomic<int> workspaces{0};
  const auto runner = MakeHostPrefix(std::make_unique<Summing>(workspaces), {2}, 3);
  const FeatureBatch features = runner->Run(MakeBatch(32));
  ExpectSums(features, 32);
  EXPECT_EQ(features.samples.back().order, 101u);
  EXPECT_THAT(features.dims, testing::ElementsAre(2));
  EXPECT_EQ(workspaces, 3);
}

TEST(HostPrefix, RunsTheShortBatchAtTheEnd) {
  std::atomic<int> workspaces{0};
  const auto runner = MakeHostPrefix(std::make_unique<Summing>(workspaces), {2}, 4);
  ExpectSums(runner->Run(MakeBatch(1)), 1);
}

// Breaks at its first sample.
class BreakingOnce final : public FrozenPrefix {
 public:
  std::size_t weights_bytes() const override { return 0; }
  std::size_t workspace_bytes() const override { return 0; }
  std::size_t output_values() const override { return 1; }
  std::unique_ptr<Workspace> MakeWorkspace() const override {
    return std::make_unique<Workspace>();
  }
  void Run(const std::uint8_t*, Workspace&, float* output) const override {
    if (!broken_.exchange(true)) throw std::runtime_error("broken");
    *output = 1;
  }

 private:
  mutable std::atomic<bool> broken_{false};
};

// Another batch may be waiting for the only workspace: it would wait for ever.
TEST(HostPrefix, GivesItsWorkspaceBackWhereASampleBreaks) {
  const auto runner = MakeHostPrefix(std::make_unique<BreakingOnce>(), {1}, 1);
  EXPECT_THROW(runner->Run(MakeBatch(3)), std::runtime_error);
  EXPECT_EQ(runner->Run(MakeBatch(3)).size(), 3);
}

TEST(HostPrefix, GivesBackTheWorkspacesOfTheWorkersThatItLoses) {
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 4);
  tbb::task_arena arena(4);
  std::atomic<int> workspaces{0};
  const auto runner = MakeHostPrefix(std::make_unique<Summing>(workspaces), {2}, 4);
  arena.execute([&] {
    ParallelFor(200, [&](int i) {
      if (i == 50) runner->LowerWorkers(1);
      ExpectSums(runner->Run(MakeBatch(i % 9)), i % 9);
    });
  });
  EXPECT_EQ(workspaces, 1);
  ExpectSums(runner->Run(MakeBatch(9)), 9);
}

// With as many batches at once as there are threads, and fewer workspaces than that.
TEST(HostPrefix, ManyBatchesShareFewWorkspaces) {
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 4);
  tbb::task_arena arena(4);
  for (int count : {1, 2, 4}) {
    std::atomic<int> workspaces{0};
    const auto runner = MakeHostPrefix(std::make_unique<Summing>(workspaces), {2}, count);
    arena.execute([&] {
      ParallelFor(200, [&](int i) { ExpectSums(runner->Run(MakeBatch(i % 9)), i % 9); });
    });
    EXPECT_EQ(workspaces, count);
  }
}

}  // namespace
}  // namespace weir
