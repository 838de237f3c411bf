// What is known of a card before a job counts on it.
#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr const char* kNoKernel = "CUDA error: no kernel image is available for execution";

ChosenDevice Choose(DeviceSelection::Kind kind, std::size_t limit_mib = 4096) {
  return ChooseDevice({kind}, BuiltDeviceSide(),
                      {.device = DeviceMemory{ByteSize{limit_mib << 20}}});
}

class DeviceChoice : public testing::Test {
 protected:
  ~DeviceChoice() override {
    for (const char* name :
         {"aten::addmm.out", "aten::convolution", "aten::convolution_backward"}) {
      sim::FailOperator(name, "");
    }
    sim::SetModuleBytes(0, 0);
  }
};

// Another version of cuBLAS than LibTorch's, a LibTorch that has nothing for the card, a library
// that is missing: a job runs on the host then, and says why.
TEST_F(DeviceChoice, IsTheHostWhereLibTorchDoesNotWorkOnTheCard) {
  sim::FailOperator("aten::addmm.out", kNoKernel);
  const ChosenDevice chosen = Choose(DeviceSelection::Kind::kAuto);
  EXPECT_EQ(chosen.device, nullptr);
  EXPECT_EQ(chosen.reason,
            std::string("simulated GPU is there, but LibTorch on the GPU: ") + kNoKernel);
  EXPECT_EQ(CaughtError([] { Choose(DeviceSelection::Kind::kCuda); }),
            std::string("LibTorch on the GPU: ") + kNoKernel +
                "\nRun on the processor with prefetch: {device: cpu}.");
}

// Some cards have no engine of cuDNN for depthwise layers, and its engines take time and memory to
// load: no layer of the backbone asks for one, frozen or learning.
TEST_F(DeviceChoice, AsksLibTorchForNoConvolution) {
  for (const char* name : {"aten::convolution", "aten::convolution_backward"}) {
    sim::FailOperator(name, "GET was unable to find an engine to execute this computation");
  }
  for (const Convention& convention : {Convention::Keras(), Convention::Torchvision()}) {
    for (const BatchNormMode mode : {BatchNormMode::kStored, BatchNormMode::kTrain}) {
      const TestGpu gpu;
      ASSERT_NE(gpu.device, nullptr) << gpu.why_not;
      EXPECT_FALSE(at::globalContext().userEnabledCuDNN());
      SmallTraining training({.kind = FrozenConfig::Kind::kNone}, convention);
      training.input = {33, 32};
      training.source->config.backbone.batch_norm = mode;
      Running running(training, {.device = gpu.device});
      running.Pass(Split::kTrain, 0, 16);
      const Model frozen = TestModel(FrozenConfig::Kind::kAll, {33, 32});
      const auto prefix = gpu.device->MakePrefix(frozen, TestWeights, Precision::kFloat32, 4);
      EXPECT_EQ(Values(prefix->Run(TestBatch(frozen, 4))).size(), 4 * 1280u);
    }
  }
}

// No memory mends an error that says nothing of it, and none is asked for.
TEST_F(DeviceChoice, TellsOtherErrorsFromWantOfMemory) {
  const TestGpu gpu;
  const Model model = TestModel(FrozenConfig::Kind::kAll, {64, 64});
  sim::FailOperator("aten::addmm.out", kNoKernel);
  EXPECT_EQ(
      CaughtError([&] { gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, 4); }),
      std::string("LibTorch on the GPU: ") + kNoKernel +
          "\nRun on the processor with prefetch: {device: cpu}.");
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

}  // namespace
}  // namespace weir
