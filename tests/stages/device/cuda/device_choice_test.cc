// What is known of a card before a job counts on it.
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr const char* kNoEngine = "GET was unable to find an engine to execute this computation";

ChosenDevice Choose(DeviceSelection::Kind kind, std::size_t limit_mib = 4096) {
  return ChooseDevice({kind}, BuiltDeviceSide(),
                      {.device = DeviceMemory{ByteSize{limit_mib << 20}}});
}

class DeviceChoice : public testing::Test {
 protected:
  ~DeviceChoice() override {
    sim::FailOperator("aten::convolution", "");
    sim::FailOperator("cudnn/depthwise", "");
    sim::SetModuleBytes(0, 0);
    sim::SetComputeCapability(9, 0);
  }
};

// Another version of cuDNN than LibTorch's, one that has nothing for the card, a library that is
// missing: a job runs on the host then, and says why.
TEST_F(DeviceChoice, IsTheHostWhereLibTorchDoesNotWorkOnTheCard) {
  sim::FailOperator("aten::convolution", kNoEngine);
  const ChosenDevice chosen = Choose(DeviceSelection::Kind::kAuto);
  EXPECT_EQ(chosen.device, nullptr);
  EXPECT_EQ(chosen.reason,
            std::string("simulated GPU is there, but LibTorch on the GPU: ") + kNoEngine);
  EXPECT_EQ(CaughtError([] { Choose(DeviceSelection::Kind::kCuda); }),
            std::string("LibTorch on the GPU: ") + kNoEngine +
                "\nRun on the processor with prefetch: {device: cpu}.");
}

// As older cards have no engine for depthwise layers in channels last: LibTorch's own kernels do
// the work, and it is the same.
TEST_F(DeviceChoice, OfACardWithoutTheEnginesWorksWithoutCudnn) {
  sim::FailOperator("cudnn/depthwise", kNoEngine);
  const TestGpu gpu;
  ASSERT_NE(gpu.device, nullptr) << gpu.why_not;
  const SmallTraining training = PartlyFrozen();
  const auto model = training.MakeModel();
  const auto results = [&](const TestGpu& on) {
    const auto prefix = on.device->MakePrefix(*model, TestWeights, Precision::kFloat32, 4);
    Running running(training, {.device = on.device});
    running.Pass(Split::kTrain, 0, 16);
    return std::pair(Values(prefix->Run(TestBatch(*model, 4))), running.State());
  };
  const auto without = results(gpu);
  sim::FailOperator("cudnn/depthwise", "");
  EXPECT_TRUE(without == results(TestGpu()));
}

// No memory mends that, and none is asked for; a layer for which there was an engine before, with
// fewer samples, wants it.
TEST_F(DeviceChoice, TellsWantOfAnEngineFromWantOfMemory) {
  const TestGpu gpu;
  const Model model = TestModel(FrozenConfig::Kind::kAll, {64, 64});
  const auto make_prefix = [&] {
    gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, 4);
  };
  sim::FailOperator("aten::convolution", kNoEngine);
  EXPECT_EQ(CaughtError(make_prefix), std::string("LibTorch on the GPU: ") + kNoEngine +
                                          "\nRun on the processor with prefetch: {device: cpu}.");
  sim::FailOperator("aten::convolution", "");
  EXPECT_TRUE(gpu.device->Fits([] {}));
  EXPECT_FALSE(gpu.device->Fits([] { TORCH_CHECK(false, kNoEngine); }));
}

// What the libraries take when they are first called is not left to what fits later.
TEST_F(DeviceChoice, IsTheHostWhereCudasLibrariesLeaveTooLittle) {
  EXPECT_NE(Choose(DeviceSelection::Kind::kAuto, 600).device, nullptr);
  sim::SetModuleBytes(40 * kMiB, 40 * kMiB);
  const ChosenDevice chosen = Choose(DeviceSelection::Kind::kAuto, 600);
  EXPECT_EQ(chosen.device, nullptr);
  EXPECT_THAT(chosen.reason,
              testing::MatchesRegex("simulated GPU is there, but (has only .* for this job beside "
                                    "CUDA's own .*, and 224 MiB are wanted|memory.device: 600 MiB "
                                    "are too little: .*)"));
}

// It would be told as twice as fast, and is slower.
TEST_F(DeviceChoice, OfAnOlderGpuHasNoBfloat16) {
  sim::SetComputeCapability(7, 5);
  const TestGpu gpu;
  const auto make_prefix = [&](FrozenConfig::Kind frozen) {
    gpu.device->MakePrefix(TestModel(frozen, {64, 64}), TestWeights, Precision::kBfloat16, 4);
  };
  EXPECT_EQ(CaughtError([&] { make_prefix(FrozenConfig::Kind::kAll); }),
            "features: simulated GPU is of compute capability 7.5, and bfloat16 is made for 8.0 or "
            "newer: there it is slower than float32\nLeave `precision` out.");
  make_prefix(FrozenConfig::Kind::kNone);  // nothing is worked out there
}

}  // namespace
}  // namespace weir
