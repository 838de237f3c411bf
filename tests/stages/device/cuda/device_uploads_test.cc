// How batches come to a card, seen by the runtime that brings them.
#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

// Memory that is not pinned is copied once more, while the thread waits that issues all work. With
// a depth of two there are three batches on their way beside the one that is learnt from: each has
// its slot, whoever is quick and whoever is slow.
TEST(DeviceUploads, AreAllOfPinnedMemory) {
  constexpr int kDepth = 2, kBatch = 4, kBatchesOfEach = 8;
  const TestGpu gpu;
  const Model model = TestModel(FrozenConfig::Kind::kAll, {64, 64});
  const auto uploader = gpu.device->MakeUploader(kDepth, TestBatch(model, kBatch).pixels.bytes());
  const auto prefix = gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, kBatch);
  const int before = sim::PageableUploads();
  std::mutex one_at_a_time;
  std::vector<std::thread> threads;
  for (int i = 0; i < kDepth + 1; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kBatchesOfEach; ++n) {
        Batch batch = TestBatch(model, kBatch);
        {
          std::lock_guard lock(one_at_a_time);
          uploader->Upload(batch);
        }
        prefix->Run(std::move(batch));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sim::PageableUploads(), before);
}

// Nothing gets faster with more, and some of LibTorch's kernels count to 2^31 values.
TEST(DeviceUploads, OfAHugeBatchAreCutForThePrefix) {
  const TestGpu gpu;
  const Model model = TestModel(FrozenConfig::Kind::kNone, {32, 32});
  constexpr int kBatch = 1100;
  const auto prefix = gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, kBatch);
  const int before = sim::PageableUploads();
  prefix->Run(TestBatch(model, kBatch));  // from the host, a copy for each part
  EXPECT_EQ(sim::PageableUploads(), before + 4);
}

}  // namespace
}  // namespace weir
