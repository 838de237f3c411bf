// What the frozen part is computed in on a card, and that what learns stays float32.
#include <gtest/gtest.h>

#include <string>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/caught_error.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

constexpr const char* kRounded = "a product was rounded";

class DevicePrecision : public testing::Test {
 protected:
  ~DevicePrecision() override {
    sim::FailOperator("tf32", "");
    sim::SetComputeCapability(9, 0);
  }

  std::vector<float> Features(const std::shared_ptr<PrefixRunner>& prefix) const {
    return Values(prefix->Run(TestBatch(model_, 4)));
  }
  std::shared_ptr<PrefixRunner> MakePrefix(const TestGpu& gpu, Precision precision) const {
    return gpu.device->MakePrefix(model_, TestWeights, precision, 4);
  }

  const Model model_ = TestModel(FrozenConfig::Kind::kAll, {64, 64});
};

// The switch is LibTorch's, and of the whole process: it is on while the work of a prefix is issued
// that asks for it, and off for another prefix and for what learns, before and after.
TEST_F(DevicePrecision, RoundsProductsInAPrefixThatAsksForItAlone) {
  const TestGpu gpu;
  ASSERT_NE(gpu.device, nullptr) << gpu.why_not;
  const auto rounded = MakePrefix(gpu, Precision::kTf32);
  const std::vector<float> expected = Features(rounded);

  sim::FailOperator("tf32", kRounded);
  const auto exact = MakePrefix(gpu, Precision::kFloat32);
  EXPECT_EQ(Features(exact), expected);  // the simulation's products are exact
  Running running(PartlyFrozen(), {.device = gpu.device});
  running.Pass(Split::kTrain, 0, 16);
  const std::string refusal = std::string("LibTorch on the GPU: ") + kRounded +
                              "\nRun on the processor with prefetch: {device: cpu}.";
  EXPECT_EQ(CaughtError([&] { Features(rounded); }), refusal);
  EXPECT_EQ(Features(exact), expected);
  running.Pass(Split::kTrain, 1, 16);
}

// Each would be told as faster, and is not.
TEST_F(DevicePrecision, OfAnOlderGpuIsFloat32) {
  sim::SetComputeCapability(7, 5);
  const TestGpu gpu;
  ASSERT_NE(gpu.device, nullptr) << gpu.why_not;
  EXPECT_EQ(CaughtError([&] { gpu.device->CheckPrecision(Precision::kBfloat16); }),
            "features: simulated GPU is of compute capability 7.5, and bfloat16 is made for 8.0 or "
            "newer: there it is slower than float32\nLeave `precision` out.");
  EXPECT_EQ(CaughtError([&] { gpu.device->CheckPrecision(Precision::kTf32); }),
            "features: simulated GPU is of compute capability 7.5, and tf32 is made for 8.0 or "
            "newer: there it is float32\nLeave `precision` out.");
  gpu.device->CheckPrecision(Precision::kFloat32);
}

TEST_F(DevicePrecision, OfANewerGpuIsAnyOfItsThree) {
  const TestGpu gpu;
  ASSERT_NE(gpu.device, nullptr) << gpu.why_not;
  for (const Precision each : {Precision::kFloat32, Precision::kTf32, Precision::kBfloat16}) {
    gpu.device->CheckPrecision(each);
  }
}

}  // namespace
}  // namespace weir
