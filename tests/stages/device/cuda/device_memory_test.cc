// What is promised of memory on a card, on cards whose memory is known to the byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace weir
