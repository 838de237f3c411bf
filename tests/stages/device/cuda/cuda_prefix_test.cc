#include <gtest/gtest.h>

#include <thread>

#include "stages/features/onednn/onednn_prefix.h"
#include "tests/stages/device/cuda/cuda_gpu.h"

namespace weir {
namespace {

std::vector<float> OnTheHost(const Model& model, const Batch& batch) {
  const auto prefix = MakeOneDnnPrefix(model.network(), TestWeights(model),
                                       {.last_layer = model.prefix_layers() - 1,
                                        .pooling = model.prefix_pooling(),
                                        .preprocessing = model.preprocessing()});
  const auto workspace = prefix->MakeWorkspace();
  std::vector<float> features(batch.size() * prefix->output_values());
  const std::size_t sample_pixels = batch.pixels.size() / batch.size();
  for (int i = 0; i < batch.size(); ++i) {
    prefix->Run(batch.pixels.data() + i * sample_pixels, *workspace,
                features.data() + i * prefix->output_values());
  }
  return features;
}

TEST(CudaPrefix, AgreesWithTheHosts) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  const Model model = TestModel(FrozenConfig::Kind::kAll, {97, 64});
  const auto exact = gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, 4);
  const auto rounded = gpu.device->MakePrefix(model, TestWeights, Precision::kBfloat16, 4);
  for (int samples : {4, 1}) {
    const std::vector<float> expected = OnTheHost(model, TestBatch(model, samples));
    EXPECT_LT(Difference(Values(exact->Run(TestBatch(model, samples))), expected), 2e-3);
    // 8 bits of each value, through 52 layers.
    EXPECT_LT(Difference(Values(rounded->Run(TestBatch(model, samples))), expected), 0.1);
  }
}

TEST(CudaPrefix, GivesTheSameBitsToEveryThread) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  const Model model = TestModel(FrozenConfig::Kind::kAll, {64, 64});
  const auto uploader = gpu.device->MakeUploader(2, TestBatch(model, 8).pixels.bytes());
  const auto prefix = gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, 8);
  const std::vector<float> expected = Values(prefix->Run(TestBatch(model, 8)));

  std::vector<Batch> batches(6);
  for (Batch& batch : batches) {  // two through slots, the others from the host
    batch = TestBatch(model, 8);
    uploader->Upload(batch);
  }
  std::vector<std::vector<float>> values(batches.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    threads.emplace_back([&, i] { values[i] = Values(prefix->Run(std::move(batches[i]))); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& found : values) EXPECT_TRUE(found == expected);
}

}  // namespace
}  // namespace weir
