// What waits for a card, or computes beside it, leaves the cores to what decodes.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

TEST(DeviceThreads, SleepWhileTheyWaitForTheCard) {
  sim::ForgetContexts();  // as at the start of a process
  const TestGpu gpu;
  ASSERT_TRUE(sim::HasContext(0));
  EXPECT_EQ(sim::ContextFlags(0), unsigned{cudaDeviceScheduleBlockingSync});
}

// LibTorch's own threads, once started, stay.
TEST(DeviceThreads, AreNotMultipliedWhereWorkIsIssued) {
  at::set_num_threads(2);
  const TestGpu gpu;
  int threads = 0;
  gpu.device->Issue("a test", [&] { threads = at::get_num_threads(); });
  EXPECT_EQ(threads, 1);
}

// What a job makes of its batches: their features, and what is learnt meanwhile.
std::vector<std::vector<float>> Results(int threads) {
  constexpr int kBatch = 4, kBatches = 12;
  const TestGpu gpu;
  const SmallTraining training = PartlyFrozen();
  const auto model = training.MakeModel();
  const auto uploader = gpu.device->MakeUploader(2, TestBatch(*model, kBatch).pixels.bytes());
  const auto prefix = gpu.device->MakePrefix(*model, TestWeights, Precision::kFloat32, kBatch);
  Running running(training, {.batch = kBatch, .device = gpu.device});

  std::vector<std::vector<float>> results(kBatches);
  std::mutex one_at_a_time;
  int uploaded = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      for (;;) {
        Batch batch;
        int index = 0;
        {
          std::lock_guard lock(one_at_a_time);
          if (uploaded == kBatches) return;
          index = uploaded++;
          batch = TestBatch(*model, kBatch, /*seed=*/index);
          uploader->Upload(batch);
        }
        results[index] = Values(prefix->Run(std::move(batch)));
      }
    });
  }
  running.Pass(Split::kTrain, 0, 6 * kBatch);
  for (std::thread& worker : workers) worker.join();
  results.push_back(running.State());
  return results;
}

// Whoever comes first, and whatever the card is late with.
TEST(DeviceThreads, GiveTheSameBitsInAnyOrder) {
  const auto expected = Results(1);
  for (const unsigned seed : {1, 2, 3}) {
    sim::SetDelays(seed);
    for (const int threads : {1, 2, 8}) {
      EXPECT_TRUE(Results(threads) == expected) << threads << " threads, seed " << seed;
    }
  }
  sim::SetDelays(0);
}

}  // namespace
}  // namespace weir
