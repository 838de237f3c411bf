// What waits for a card, or computes beside it, leaves the cores to what decodes.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "tests/stages/device/cuda/cuda_gpu.h"
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

}  // namespace
}  // namespace weir
