// What is promised of memory on a card, on cards whose memory is known to the byte.
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stages/train/optimizers/sgd.h"
#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// A training in which the prefix and what learns share the card.
SmallTraining ThroughBlock3() {
  SmallTraining training({.kind = FrozenConfig::Kind::kThrough, .through = "block_3"});
  training.input = {96, 96};
  training.config->optimizer =
      std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.005, .momentum = 0.9});
  return training;
}

// What a device held is there for the next.
TEST(DeviceMemory, IsGivenBackWhenADeviceEnds) {
  {
    const TestGpu gpu;
    Running running(ThroughBlock3(), {.device = gpu.device});
    running.Pass(Split::kTrain, 0, 8);
    EXPECT_GT(sim::HeldBytes(0), sim::kContextBytes);
  }
  EXPECT_EQ(sim::HeldBytes(0), sim::kContextBytes);
  const TestGpu next;
  EXPECT_LE(next.device->usage().peak_bytes, sim::kContextBytes + 8 * kMiB);  // it has worked once
}

// A context stays to the end of the process, on the card and on the host.
TEST(DeviceMemory, OfACeilingBelowAnyContextIsNotTaken) {
  sim::ForgetContexts();  // as at the start of a process
  const JobCeilings low{.device = DeviceMemory{ByteSize{128 * kMiB}}};
  const ChosenDevice chosen = ChooseDevice({DeviceSelection::Kind::kAuto}, BuiltDeviceSide(), low);
  EXPECT_EQ(chosen.device, nullptr);
  EXPECT_EQ(chosen.reason,
            "simulated GPU is there, but memory.device: 128 MiB are too little: CUDA itself holds "
            "over 64.0 MiB on the GPU, and 64.0 MiB are kept for its kernels");
  EXPECT_FALSE(sim::HasContext(0));
}

// A rehearsal that does not fit leaves nothing behind, of what it got before.
TEST(DeviceMemory, IsGivenBackWhereWorkDoesNotFit) {
  const TestGpu gpu;
  gpu.device->SetLimit(gpu.device->usage().used_bytes + 200 * kMiB);
  const auto allocate = [](std::int64_t mib) {
    return at::empty({mib << 20}, at::TensorOptions(at::kCUDA).dtype(at::kByte));
  };
  at::Tensor kept;
  EXPECT_TRUE(gpu.device->Fits([&] { kept = allocate(30); }));
  const std::size_t held = sim::HeldBytes(0);
  EXPECT_GE(held, sim::kContextBytes + 30 * kMiB);
  EXPECT_FALSE(gpu.device->Fits([&] {
    const at::Tensor first = allocate(50);
    allocate(100);
  }));
  EXPECT_EQ(sim::HeldBytes(0), held);
  EXPECT_TRUE(gpu.device->Fits([&] { allocate(100); }));
}

// What a run of some steps did.
struct Steps {
  std::vector<int> allocations;  // by cudaMalloc, of each step
  double loss = 0;
};

// Opens the prefix and what learns under a ceiling, as a job does, and runs `count` steps, from
// features that may stay on the card. Throws
// Error(kMemory) where they do not fit; `is_open` tells when.
Steps RunSteps(
    const std::shared_ptr<Device>& device, int count, bool& is_open,
    const std::function<void(int)>& before_step = [](int) {}) {
  constexpr int kBatch = 32;
  const SmallTraining training = ThroughBlock3();
  const auto model = training.MakeModel();
  is_open = false;
  const auto prefix =
      device->MakePrefix(*model, TestWeights, Precision::kFloat32, kBatch, /*staying=*/3);
  Running running(training, {.batch = kBatch, .device = device});
  is_open = true;
  Steps steps;
  for (int i = 0; i < count; ++i) {
    before_step(i);
    const int before = sim::Calls("cudaMalloc");
    running.Learn(prefix->RunAndLeave(TestBatch(*model, kBatch)), i);
    steps.allocations.push_back(sim::Calls("cudaMalloc") - before);
  }
  steps.loss = running.learner().metrics().loss();
  return steps;
}

// A ceiling is refused before the first picture, or it holds all that the job needs: nothing is
// allocated any more, as each cudaFree that makes room for it waits for the whole card.
TEST(DeviceMemory, IsRefusedInTheBeginningOrIsEnough) {
  int refused = 0;
  std::vector<double> losses;
  for (std::size_t mib = 76; mib <= 172; mib += 8) {
    const TestGpu gpu;
    gpu.device->SetLimit(gpu.device->usage().used_bytes + mib * kMiB);
    bool is_open = false;
    try {
      const Steps steps = RunSteps(gpu.device, 3, is_open);
      losses.push_back(steps.loss);
      EXPECT_THAT(steps.allocations, testing::Each(0)) << mib << " MiB";
    } catch (const Error& error) {
      ++refused;
      EXPECT_FALSE(is_open) << mib << " MiB: " << error.what();
    }
    EXPECT_LE(gpu.device->usage().peak_bytes, gpu.device->usage().limit_bytes);
  }
  EXPECT_GT(refused, 0);
  ASSERT_FALSE(losses.empty());
  // Sums of other micro-batches, in other orders (measured: up to 4e-4).
  EXPECT_THAT(losses, testing::Each(testing::DoubleNear(losses.front(), 2e-3)));
}

// The prefix comes first, and takes what it can use; what learns has its part of the ceiling, too.
TEST(DeviceMemory, OfThePrefixMakesRoomForWhatLearns) {
  const TestGpu gpu;
  gpu.device->SetLimit(gpu.device->usage().used_bytes + 128 * kMiB);
  bool is_open = false;
  EXPECT_THAT(RunSteps(gpu.device, 2, is_open).allocations, testing::Each(0));
}

// Whatever the driver says of this process, and it says less than there is in containers: a job is
// refused, or the card never held more of it than its ceiling.
class DeviceCeiling : public testing::TestWithParam<sim::NvmlTemper> {
 protected:
  DeviceCeiling() { sim::SetTemper(GetParam()); }
  ~DeviceCeiling() override { sim::SetTemper(sim::NvmlTemper::kTells); }
};

TEST_P(DeviceCeiling, HoldsForAllThatTheProcessHolds) {
  int trained = 0;
  for (const std::size_t limit_mib : {400, 600}) {
    sim::ForgetContexts();  // as at the start of a process
    sim::ResetHeldPeak(0);
    const TestGpu gpu;
    try {
      gpu.device->SetLimit(limit_mib * kMiB);
      EXPECT_GE(gpu.device->usage().used_bytes, sim::HeldBytes(0));
      Running running(ThroughBlock3(), {.batch = 128, .device = gpu.device});
      running.Pass(Split::kTrain, 0, 128);
      ++trained;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kMemory) << error.what();
    }
    EXPECT_LE(sim::HeldPeakBytes(0), limit_mib * kMiB);
  }
  EXPECT_GT(trained, 0);
}

// A job that has begun ends, whoever takes the rest of the card meanwhile, and whether or not the
// driver tells whose it is.
TEST_P(DeviceCeiling, IsTakenBeforeTheFirstPicture) {
  const std::size_t others = sim::OthersBytes(0);
  for (const int taken_at : {0, 2}) {
    const TestGpu gpu;
    bool is_open = false;
    const Steps steps = RunSteps(gpu.device, 4, is_open, [&](int step) {
      if (step == taken_at) sim::SetOthersBytes(0, sim::kCardBytes - sim::HeldBytes(0));
    });
    gpu.device->EndPass();
    sim::SetOthersBytes(0, others);
    EXPECT_THAT(steps.allocations, testing::Each(0));
  }
}

std::string NameOf(const testing::TestParamInfo<sim::NvmlTemper>& info) {
  constexpr std::array kNames = {"Tells",   "ListsNothing", "DoesNotList", "NotAvailable",
                                 "Refuses", "KnowsSlices",  "KnowsTheCard"};
  return kNames.at(static_cast<std::size_t>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Tempers, DeviceCeiling,
                         testing::Values(sim::NvmlTemper::kTells, sim::NvmlTemper::kListsNothing,
                                         sim::NvmlTemper::kDoesNotList,
                                         sim::NvmlTemper::kNotAvailable, sim::NvmlTemper::kRefuses,
                                         sim::NvmlTemper::kKnowsSlices,
                                         sim::NvmlTemper::kKnowsTheCard),
                         NameOf);

// The GPU is a seventh of a card: what is free there is not what the card has free.
TEST_P(DeviceCeiling, OfAutoIsWithinTheGpu) {
  const ChosenDevice chosen = ChooseDevice({DeviceSelection::Kind::kAuto}, BuiltDeviceSide());
  ASSERT_NE(chosen.device, nullptr) << chosen.reason;
  EXPECT_LE(chosen.device->usage().limit_bytes, sim::kCardBytes);
  EXPECT_LE(ListGpus(BuiltDeviceSide())[0].free_bytes, sim::kCardBytes - sim::HeldBytes(0));
}

}  // namespace
}  // namespace weir
