// A call of the CUDA runtime may fail at any time: others take memory, cards fall off the bus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/stages/train/running_train.h"
#include "tests/support/sim_cuda/sim_cuda.h"

namespace weir {
namespace {

// What a job does with a device, from its choice on.
void RunAJob() {
  const TestGpu gpu;
  if (!gpu.device) throw Error(ErrorKind::kConfig, gpu.why_not);
  const SmallTraining training = PartlyFrozen();
  const auto model = training.MakeModel();
  constexpr int kBatch = 4;
  const auto uploader = gpu.device->MakeUploader(2, TestBatch(*model, kBatch).pixels.bytes());
  const auto prefix = gpu.device->MakePrefix(*model, TestWeights, Precision::kFloat32, kBatch);
  Running running(training, {.batch = kBatch, .device = gpu.device});
  for (int step = 0; step < 2; ++step) {
    Batch batch = TestBatch(*model, kBatch);
    uploader->Upload(batch);
    prefix->Run(std::move(batch));
    running.Pass(Split::kTrain, step, kBatch);
  }
}

class DeviceFailures : public testing::TestWithParam<const char*> {};

// It goes on, or ends by an Error that says so; and the next job finds a card that works, with all
// of its memory.
TEST_P(DeviceFailures, AreErrors) {
  for (const int nth : {1, 2, 3, 5, 8, 13, 21}) {
    sim::FailCall(GetParam(), nth, nth % 2 ? cudaErrorMemoryAllocation : cudaErrorLaunchFailure);
    try {
      RunAJob();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()), "");
    }
    EXPECT_EQ(sim::HeldBytes(0), sim::kContextBytes) << "call " << nth;
  }
  sim::FailCall(GetParam(), /*nth=*/0, cudaSuccess);
  RunAJob();
}

INSTANTIATE_TEST_SUITE_P(
    Calls, DeviceFailures,
    testing::Values("cudaMalloc", "cudaHostAlloc", "cudaMemcpyAsync", "cudaMemcpy",
                    "cudaMemsetAsync", "cudaEventRecord", "cudaEventQuery", "cudaEventSynchronize",
                    "cudaEventCreateWithFlags", "cudaStreamWaitEvent", "cudaStreamSynchronize",
                    "cudaStreamCreateWithFlags", "cudaGetDeviceCount", "cudaGetDeviceProperties",
                    "cudaSetDevice", "cudaMemGetInfo", "cudaInitDevice", "cudaDeviceGetPCIBusId",
                    "cudaDeviceSynchronize", "cudaStreamCreateWithPriority"),
    [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace weir
