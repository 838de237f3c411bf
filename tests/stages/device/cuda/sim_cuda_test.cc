// The simulated GPUs themselves, by what the CUDA runtime's documentation says.
#include "tests/support/sim_cuda/sim_cuda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/stages/device/cuda/cuda_gpu.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Memory of the current card and of the host, and a stream, for one test.
struct OnCard {
  explicit OnCard(std::size_t bytes) {
    EXPECT_EQ(cudaMalloc(&card, bytes), cudaSuccess);
    EXPECT_EQ(cudaHostAlloc(&pinned, bytes, cudaHostAllocDefault), cudaSuccess);
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  }
  ~OnCard() {
    cudaStreamDestroy(stream);
    cudaFreeHost(pinned);
    cudaFree(card);
  }

  int First() const {  // the card's first byte, once the stream is done
    unsigned char byte = 0;
    cudaStreamSynchronize(stream);
    EXPECT_EQ(cudaMemcpy(&byte, card, 1, cudaMemcpyDeviceToHost), cudaSuccess);
    return byte;
  }

  void* card = nullptr;
  void* pinned = nullptr;
  cudaStream_t stream = nullptr;
};

// The other tests of this program ran on it.
TEST(SimulatedCuda, IsWhatIsLoaded) {
  const TestGpu gpu;
  ASSERT_TRUE(gpu.device) << gpu.why_not;
  EXPECT_EQ(gpu.device->name(), "simulated GPU");
  EXPECT_EQ(gpu.device->total_bytes(), sim::kCardBytes);
  EXPECT_EQ(ListGpus(BuiltDeviceSide()).size(), std::size_t{sim::kCards});
}

TEST(SimulatedCuda, HasSoMuchMemory) {
  const OnCard some(3 * kMiB);  // 4 with the grain
  const std::size_t held = sim::HeldBytes(0);
  std::size_t free_bytes = 0, total_bytes = 0;
  ASSERT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  EXPECT_EQ(total_bytes, sim::kCardBytes);
  EXPECT_EQ(free_bytes, sim::kCardBytes - held - sim::OthersBytes(0));

  void* all = nullptr;
  EXPECT_EQ(cudaMalloc(&all, free_bytes + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);  // it is told once
  ASSERT_EQ(cudaMalloc(&all, 3 * kMiB), cudaSuccess);
  EXPECT_EQ(sim::HeldBytes(0), held + 4 * kMiB);
  EXPECT_EQ(cudaFree(all), cudaSuccess);
  EXPECT_EQ(sim::HeldBytes(0), held);
}

TEST(SimulatedCuda, GivesMemoryThatIsNotZero) { EXPECT_NE(OnCard(kMiB).First(), 0); }

// A copy reads pinned memory when the stream comes to it, and pageable memory at once.
TEST(SimulatedCuda, ReadsPinnedMemoryLate) {
  OnCard some(kMiB);
  for (bool is_pinned : {true, false}) {
    std::vector<unsigned char> pageable(kMiB, 1);
    auto* from = is_pinned ? static_cast<unsigned char*>(some.pinned) : pageable.data();
    std::memset(from, 1, kMiB);
    {
      const sim::HeldCopies held;
      ASSERT_EQ(cudaMemcpyAsync(some.card, from, kMiB, cudaMemcpyHostToDevice, some.stream),
                cudaSuccess);
      from[0] = 2;
    }
    EXPECT_EQ(some.First(), is_pinned ? 2 : 1);
  }
}

TEST(SimulatedCuda, LetsAStreamWaitForAnothersEvent) {
  const OnCard before(kMiB), after(kMiB);
  std::memset(before.pinned, 1, kMiB);
  cudaEvent_t copied = nullptr;
  ASSERT_EQ(cudaEventCreateWithFlags(&copied, cudaEventDisableTiming), cudaSuccess);
  {
    const sim::HeldCopies held;
    cudaMemcpyAsync(after.card, before.pinned, kMiB, cudaMemcpyHostToDevice, before.stream);
    cudaEventRecord(copied, before.stream);
    cudaStreamWaitEvent(after.stream, copied, 0);
    cudaMemsetAsync(after.card, 2, kMiB, after.stream);
  }
  EXPECT_EQ(after.First(), 2);
  cudaEventDestroy(copied);
}

TEST(SimulatedCuda, RefusesCopiesInTheWrongDirectionAndBeyondTheEnd) {
  const OnCard some(2 * kMiB);
  std::vector<char> host(4 * kMiB);
  EXPECT_EQ(cudaMemcpy(some.card, host.data(), 1, cudaMemcpyDeviceToHost),
            cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(host.data(), some.card, 1, cudaMemcpyHostToDevice),
            cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(some.card, host.data(), 4 * kMiB, cudaMemcpyHostToDevice),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(some.card, host.data(), 2 * kMiB, cudaMemcpyHostToDevice), cudaSuccess);
  cudaGetLastError();
}

TEST(SimulatedCuda, FailsTheCallThatATestNames) {
  sim::FailCall("cudaMalloc", 2, cudaErrorLaunchFailure);
  void* first = nullptr;
  void* second = nullptr;
  EXPECT_EQ(cudaMalloc(&first, 1), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&second, 1), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaMalloc(&second, 1), cudaSuccess);
  cudaGetLastError();
  cudaFree(first);
  cudaFree(second);
}

// What runs on the second card leaves the first alone.
TEST(SimulatedCuda, HasCardsOfTheirOwn) {
  sim::ForgetContexts();
  const std::size_t first = sim::HeldBytes(0);
  {
    const auto device = ChooseDevice({DeviceSelection::Kind::kCuda, 1}, BuiltDeviceSide()).device;
    EXPECT_EQ(device->torch_device(), "cuda:1");
    const Model model = TestModel(FrozenConfig::Kind::kNone, {32, 32});
    const auto uploader = device->MakeUploader(1, TestBatch(model, 2).pixels.bytes());
    const auto prefix = device->MakePrefix(model, TestWeights, Precision::kFloat32, 2);
    Batch batch = TestBatch(model, 2);
    uploader->Upload(batch);
    EXPECT_EQ(prefix->Run(std::move(batch)).values.size(), 2 * 32 * 32 * 3u);
    EXPECT_GT(sim::HeldBytes(1), sim::kContextBytes);
  }
  EXPECT_FALSE(sim::HasContext(0));
  EXPECT_EQ(sim::HeldBytes(0), first);
}

}  // namespace
}  // namespace weir
