// What is promised of memory on a card, on cards whose memory is known to the byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

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
      std::make_shared<Sgd>(Sgd::Params{.learning_rate = 0.02, .momentum = 0.9});
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
  EXPECT_EQ(next.device->usage().peak_bytes, sim::kContextBytes);
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

std::string NameOf(const testing::TestParamInfo<sim::NvmlTemper>& info) {
  constexpr std::array kNames = {"Tells", "ListsNothing", "DoesNotList", "NotAvailable", "Refuses"};
  return kNames.at(static_cast<std::size_t>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Tempers, DeviceCeiling,
                         testing::Values(sim::NvmlTemper::kTells, sim::NvmlTemper::kListsNothing,
                                         sim::NvmlTemper::kDoesNotList,
                                         sim::NvmlTemper::kNotAvailable, sim::NvmlTemper::kRefuses),
                         NameOf);

}  // namespace
}  // namespace weir
