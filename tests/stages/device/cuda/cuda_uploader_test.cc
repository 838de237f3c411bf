// What arrives on the device is what was sent: a prefix of no layers gives the preprocessed pixels
// back, to the bit as the host makes them.
#include <gtest/gtest.h>

#include "stages/features/host_prefix.h"
#include "tests/stages/device/cuda/cuda_gpu.h"

namespace weir {
namespace {

class CudaUploader : public testing::TestWithParam<MapSize> {};

TEST_P(CudaUploader, BringsTheSameBytes) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  const Model model = TestModel(FrozenConfig::Kind::kNone, GetParam());
  constexpr int kBatch = 5;
  const auto uploader = gpu.device->MakeUploader(2, TestBatch(model, kBatch).pixels.bytes());
  const auto prefix = gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, kBatch);
  const auto on_host = MakeHostPreprocessing(model);
  for (int samples : {kBatch, 3, 1}) {
    for (bool upload : {true, false}) {
      Batch batch = TestBatch(model, samples, samples);
      if (upload) {
        uploader->Upload(batch);
        EXPECT_NE(batch.device, nullptr);
        EXPECT_EQ(batch.pixels.size(), 0u);
      }
      const FeatureBatch features = prefix->Run(std::move(batch));
      const FeatureBatch expected = on_host->Run(TestBatch(model, samples, samples));
      EXPECT_EQ(features.dims, expected.dims);
      EXPECT_TRUE(Values(features) == Values(expected)) << samples << " samples";
    }
  }
}

// 33 * 35 * 3 is odd: samples begin at any byte.
INSTANTIATE_TEST_SUITE_P(Sizes, CudaUploader, testing::Values(MapSize{64, 64}, MapSize{33, 35}));

TEST(CudaUploader, LeavesOnTheHostWhatHasNoSlot) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  const Model model = TestModel(FrozenConfig::Kind::kNone, {32, 32});
  const auto uploader = gpu.device->MakeUploader(1, TestBatch(model, 2).pixels.bytes());
  std::vector<Batch> batches(3);
  for (Batch& batch : batches) {
    batch = TestBatch(model, 2);
    uploader->Upload(batch);
  }
  EXPECT_NE(batches[0].device, nullptr);
  EXPECT_NE(batches[1].device, nullptr);
  EXPECT_EQ(batches[2].device, nullptr);
  EXPECT_GT(batches[2].pixels.size(), 0u);
}

}  // namespace
}  // namespace weir
