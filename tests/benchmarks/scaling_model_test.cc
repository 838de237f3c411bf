// What the model of a training with many ranks says where the answer is known without it.
#include "benchmarks/scaling/scaling_model.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "stages/ranks/gradient_sum.h"
#include "tests/stages/ranks/thread_ranks.h"

namespace weir {
namespace {

// Everything unfrozen: 20 ms a picture, 4 MiB of gradients, logits of ten classes.
ScalingJob Unfrozen() {
  return {.images_per_rank = 8, .summed_values = std::size_t{1} << 20, .gathered_bytes = 72};
}
ScalingMachine Machine() {
  ScalingMachine machine{.learning_seconds = 0.020, .optimizer_seconds = 0.004};
  machine.network = {.bytes_per_second = 1e9, .latency_seconds = 1e-3, .message_seconds = 1e-4};
  return machine;
}
// A frozen backbone: 10 ms a picture, and a head that learns from one in 1 ms.
ScalingJob Frozen() { return {.images_per_rank = 8, .gathered_bytes = 5152}; }
ScalingMachine MachineOfFrozen() {
  ScalingMachine machine = Machine();
  machine.frozen_seconds = 0.010;
  machine.learning_seconds = 0.001;
  machine.optimizer_seconds = 0;
  return machine;
}
double Efficiency(const ScalingJob& job, const ScalingMachine& machine, int ranks) {
  return StepOf(job, machine, ranks).images_per_second /
         (ranks * StepOf(job, machine, 1).images_per_second);
}

TEST(ScalingModel, OneRankTellsNobodyAndWaitsForNobody) {
  ScalingMachine machine = Machine();
  machine.noise = 0.1;
  const Step step = StepOf(Unfrozen(), machine, 1);
  EXPECT_EQ(step.exchange, 0);
  EXPECT_NEAR(step.waiting, 0, 1e-9);
  EXPECT_NEAR(step.seconds, 8 * 0.020 + 0.004, 1e-9);
  EXPECT_EQ(step.bound(), "learning");
}

// Four ranks, one block: 2 exchanges of 3 messages, and 3/4 of 4 MiB twice.
TEST(ScalingModel, SumsAsWorkedOutByHand) {
  const double bytes = 2 * 0.75 * 4 * 1048576;
  const double sum = 2 * 1e-3 + 6 * 1e-4 + bytes / 1e9;
  EXPECT_NEAR(SumSeconds(1 << 20, Machine().network, 4, 1), sum, 1e-12);
  const double gather = 2 * (1e-3 + 1e-4) + 3 * 8 * 72 / 1e9;
  const Step step = StepOf(Unfrozen(), Machine(), 4);
  EXPECT_NEAR(step.exchange, sum + gather, 1e-12);
  EXPECT_NEAR(step.images_per_second, 32 / (0.164 + sum + gather), 1e-6);
  EXPECT_NEAR(SumSeconds((1 << 20) + 1, Machine().network, 4, 1), 2 * 2.6e-3 + bytes / 1e9, 1e-6)
      << "another block for one value more";
}

// Counts what SumOverRanks sends.
class Counting final : public RankGroup {
 public:
  Counting(RankGroup& group, SumTraffic& traffic) : group_(group), traffic_(traffic) {}
  RankPlace place() const override { return group_.place(); }
  void Exchange(std::span<const OutBlock> out, std::span<const InBlock> in) override {
    traffic_.exchanges += 1;
    traffic_.messages += static_cast<double>(out.size());
    for (const OutBlock& block : out) traffic_.bytes += static_cast<double>(block.bytes.size());
    group_.Exchange(out, in);
  }

 private:
  RankGroup& group_;
  SumTraffic& traffic_;
};

TEST(ScalingModel, CountsWhatTheSumSends) {
  constexpr std::size_t kValues = 3'500'000;
  for (const int ranks : {2, 3, 4}) {
    const SumTraffic expected = SumTrafficOf(kValues, ranks);
    std::mutex mutex;
    testing::OnRanks(ranks, [&](RankGroup& group) {
      std::vector<float> run(kValues, 1.0f), buffer(kSumBufferValues);
      const std::span<float> mine(run);
      SumTraffic traffic;
      Counting counting(group, traffic);
      const RankShare share{
          .rank = group.place().rank, .ranks = ranks, .batch_size = ranks, .piece_size = 1};
      SumOverRanks(counting, share, ranks, {&mine, 1}, mine, 1, buffer);
      const std::lock_guard lock(mutex);
      EXPECT_EQ(traffic.exchanges, expected.exchanges);
      EXPECT_EQ(traffic.messages, expected.messages);
      EXPECT_NEAR(traffic.bytes, expected.bytes, 100)
          << ranks << " ranks";  // slices of whole values
    });
  }
}

TEST(ScalingModel, IsBoundByComputationWhereTheNetworkCostsNothing) {
  ScalingMachine machine = Machine();
  machine.network = {};
  for (const int ranks : {2, 64, 1024}) {
    EXPECT_NEAR(Efficiency(Unfrozen(), machine, ranks), 1, 1e-9);
    EXPECT_EQ(StepOf(Unfrozen(), machine, ranks).bound(), "learning");
  }
}

TEST(ScalingModel, GrowsWithRanksAndLosesEfficiency) {
  for (const bool frozen : {false, true}) {
    const ScalingJob job = frozen ? Frozen() : Unfrozen();
    ScalingMachine machine = frozen ? MachineOfFrozen() : Machine();
    machine.network.message_seconds = 1e-7;
    double before = StepOf(job, machine, 1).images_per_second;
    for (int ranks = 2; ranks <= 1024; ranks *= 2) {
      const double rate = StepOf(job, machine, ranks).images_per_second;
      EXPECT_GT(rate, before) << ranks;
      EXPECT_LT(rate, 2 * before) << ranks;
      before = rate;
    }
  }
}

TEST(ScalingModel, IsNeverSlowerWithABetterNetworkOrMoreSpreadRanks) {
  for (const int ranks : {2, 16, 512}) {
    const ScalingMachine machine = Machine();
    const double rate = StepOf(Unfrozen(), machine, ranks).images_per_second;
    ScalingMachine faster = machine;
    faster.network.bytes_per_second *= 2;
    EXPECT_GT(StepOf(Unfrozen(), faster, ranks).images_per_second, rate);
    ScalingMachine crowded = machine;
    crowded.ranks_per_node = 8;
    EXPECT_LT(StepOf(Unfrozen(), crowded, ranks).images_per_second, rate);
  }
}

// Each rank learns from all pictures of a batch, so that no number of ranks learns faster than
// one.
TEST(ScalingModel, IsBoundByTheHeadWhereFeaturesAreTold) {
  ScalingMachine machine = MachineOfFrozen();
  machine.network = {};
  EXPECT_NEAR(StepOf(Frozen(), machine, 1).images_per_second, 1 / 0.011, 1e-6);
  EXPECT_NEAR(StepOf(Frozen(), machine, 10).images_per_second, 10 / (0.010 + 0.010), 1e-6);
  EXPECT_EQ(StepOf(Frozen(), machine, 9).bound(), "frozen part");
  EXPECT_EQ(StepOf(Frozen(), machine, 11).bound(), "learning");
  EXPECT_LT(StepOf(Frozen(), machine, 100000).images_per_second, 1 / 0.001);
}

TEST(ScalingModel, TellsFeaturesWhileTheNextAreComputed) {
  ScalingMachine machine = MachineOfFrozen();
  machine.network = {.latency_seconds = 0.010};
  EXPECT_EQ(StepOf(Frozen(), machine, 4).seconds, 8 * 0.010 + 32 * 0.001);
  machine.network = {.latency_seconds = 1};
  EXPECT_EQ(StepOf(Frozen(), machine, 4).seconds, 2);
  EXPECT_EQ(StepOf(Frozen(), machine, 4).bound(), "exchange");
}

TEST(ScalingModel, SharesTheStorageOfANode) {
  ScalingJob job = Unfrozen();
  job.file_bytes = 1e5;
  ScalingMachine machine = Machine();
  machine.network = {};
  machine.ranks_per_node = 4;
  machine.storage_bytes_per_second = 1e7;  // 10 ms a picture
  EXPECT_NEAR(StepOf(job, machine, 1).seconds, 0.164, 1e-9);
  EXPECT_NEAR(StepOf(job, machine, 4).seconds, 8 * 4 * 0.010, 1e-9);
  EXPECT_EQ(StepOf(job, machine, 4).bound(), "storage");
  EXPECT_NEAR(StepOf(job, machine, 64).seconds, 8 * 4 * 0.010, 1e-9) << "each node has its own";
}

TEST(ScalingModel, DecodesBesideADeviceAndInTurnWithTheHost) {
  ScalingMachine machine = Machine();
  machine.decode_seconds = 0.015;
  EXPECT_NEAR(StepOf(Unfrozen(), machine, 1).seconds, 8 * 0.035 + 0.004, 1e-9);
  machine.has_device = true;
  EXPECT_NEAR(StepOf(Unfrozen(), machine, 1).seconds, 8 * 0.020 + 0.004, 1e-9);
  machine.decode_seconds = 0.050;
  EXPECT_NEAR(StepOf(Unfrozen(), machine, 1).seconds, 8 * 0.050, 1e-9);
  EXPECT_EQ(StepOf(Unfrozen(), machine, 1).bound(), "decode");
}

// By tables of order statistics (Teichroew 1956; Harter 1961).
TEST(ScalingModel, WaitsForTheSlowest) {
  EXPECT_NEAR(ExpectedLargest(1), 0, 1e-6);
  EXPECT_NEAR(ExpectedLargest(2), 0.56419, 1e-4);
  EXPECT_NEAR(ExpectedLargest(4), 1.02938, 1e-4);
  EXPECT_NEAR(ExpectedLargest(10), 1.53875, 1e-4);
  EXPECT_NEAR(ExpectedLargest(100), 2.50759, 1e-4);
  ScalingMachine machine = Machine();
  machine.network = {};
  machine.noise = 0.05;
  EXPECT_NEAR(StepOf(Unfrozen(), machine, 4).seconds, 0.164 * (1 + 0.05 * 1.02938), 1e-5);
}

}  // namespace
}  // namespace weir
