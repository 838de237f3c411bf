// What CUDA loads while a job goes on counts, too: kernels come with their first use, and nobody
// leases them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr int kBatch = 8;

// A job that is open, on a card whose kernels are then loaded anew.
class DeviceGrowth : public testing::Test {
 protected:
  DeviceGrowth() : training_(PartlyFrozen()), model_(training_.MakeModel()) {
    if (!gpu_.device) throw std::runtime_error(gpu_.why_not);
    gpu_.device->SetLimit(gpu_.device->usage().used_bytes + 400 * kMiB);
    prefix_ = gpu_.device->MakePrefix(*model_, TestWeights, Precision::kFloat32, kBatch);
    running_ = std::make_unique<Running>(training_,
                                         Running::Options{.batch = kBatch, .device = gpu_.device});
  }
  ~DeviceGrowth() override { sim::SetModuleBytes(0, 0); }

  void Pass(Split split, int epoch = 0) {
    gpu_.device->BeginPass();
    prefix_->Run(TestBatch(*model_, kBatch));
    running_->Pass(split, epoch, 2 * kBatch - 1);
    gpu_.device->EndPass();
  }

  const TestGpu gpu_;
  const SmallTraining training_;
  const std::shared_ptr<Model> model_;
  std::shared_ptr<PrefixRunner> prefix_;
  std::unique_ptr<Running> running_;
};

TEST_F(DeviceGrowth, IsSeenWithinTheRoomThatIsKeptForIt) {
  sim::SetModuleBytes(kMiB / 8, kMiB / 4);
  sim::ResetHeldPeak(0);
  Pass(Split::kTrain);
  Pass(Split::kValidation);
  const MemoryUsage usage = gpu_.device->usage();
  EXPECT_GT(
      sim::HeldBytes(0),
      sim::kContextBytes + usage.used_by_tag[static_cast<std::size_t>(MemoryTag::kActivation)]);
  EXPECT_EQ(usage.used_bytes, sim::HeldBytes(0));
  EXPECT_GE(usage.peak_bytes, sim::HeldPeakBytes(0));
  EXPECT_LE(usage.peak_bytes, usage.limit_bytes);
}

TEST_F(DeviceGrowth, EndsTheJobWhereItPassesTheCeiling) {
  sim::SetModuleBytes(kMiB, 40 * kMiB);
  EXPECT_THAT(CaughtError([&] { Pass(Split::kTrain); }),
              testing::MatchesRegex("memory.device: kernels and workspaces of CUDA have come to "
                                    "take more than was kept: .* of .* are in use \\(.* by CUDA "
                                    "itself\\), and 64.0 MiB are kept for its kernels\n"
                                    "Raise memory.device, or run on the processor .*"));
}

// What fits was found out by doing it, so nothing that is new to LibTorch comes later: neither of
// the last batch, which is short, nor in validation.
TEST_F(DeviceGrowth, HasNoReasonInShapesThatWereNotTried) {
  const int before = sim::NewLaunches();
  Pass(Split::kTrain);
  Pass(Split::kTrain, 1);
  EXPECT_EQ(sim::NewLaunches(), before);
}

// What others take in the meantime does not look like it where the driver does not tell whose it
// is.
TEST_F(DeviceGrowth, OfOthersEndsNoJob) {
  sim::SetTemper(sim::NvmlTemper::kListsNothing);
  const std::size_t others = sim::OthersBytes(0);
  sim::SetOthersBytes(0, others + 4000 * kMiB);
  const MemoryUsage before = gpu_.device->usage();
  Pass(Split::kTrain);
  Pass(Split::kValidation);
  sim::SetOthersBytes(0, others);
  sim::SetTemper(sim::NvmlTemper::kTells);
  EXPECT_EQ(gpu_.device->usage().peak_bytes, before.peak_bytes);
}

}  // namespace
}  // namespace weir
