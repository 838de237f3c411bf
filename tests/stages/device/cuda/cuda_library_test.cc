#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/stages/device/cuda/cuda_gpu.h"
#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

// Where there is no GPU: the library is loaded, asks the driver, and says why not.
TEST(CudaLibrary, SaysWhyThereIsNoGpu) {
  const TestGpu gpu;
  if (gpu.device) GTEST_SKIP() << "there is a GPU here: " << gpu.device->name();
  const auto reason = AnyOf(
      // A library that LibTorch's CUDA half needs is missing or of another version: not ours.
      AllOf(StartsWith("the device side cannot be loaded: "), Not(HasSubstr("libweir_cuda.so"))),
      "there is no NVIDIA driver here (libcuda.so.1 cannot be loaded)",
      "the NVIDIA driver sees no GPU here (or CUDA_VISIBLE_DEVICES hides it)",
      StartsWith("the NVIDIA driver is too old: "),
      StartsWith("the NVIDIA driver does not answer: "));
  EXPECT_THAT(gpu.why_not, reason);
  EXPECT_EQ(CaughtError([] { ListGpus(BuiltDeviceSide()); }), gpu.why_not + "\n");
  EXPECT_EQ(CaughtError([] {
              ChooseDevice({DeviceSelection::Kind::kCuda, 0}, BuiltDeviceSide());
            }),
            "prefetch: `device: cuda` is asked for, but " + gpu.why_not +
                "\nWrite `device: auto` to run on the processor where there is no GPU.");
}

TEST(CudaLibrary, TellsOfItsGpus) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  const std::vector<GpuDescription> gpus = ListGpus(BuiltDeviceSide());
  ASSERT_FALSE(gpus.empty());
  EXPECT_EQ(gpus[0].name, gpu.device->name());
  EXPECT_EQ(gpus[0].total_bytes, gpu.device->total_bytes());
  EXPECT_THAT(gpus[0].compute_capability, MatchesRegex("[0-9]+\\.[0-9]"));
  EXPECT_GT(gpus[0].free_bytes, 0u);
  EXPECT_THAT(CaughtError([] {
                ChooseDevice({DeviceSelection::Kind::kCuda, 99}, BuiltDeviceSide());
              }),
              StartsWith("prefetch: `device: cuda` is asked for, but there is no GPU 99 (there "));
}

TEST(CudaLibrary, KeepsToItsLimit) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  const Model model = TestModel(FrozenConfig::Kind::kAll, {224, 224}, 1.0);
  constexpr int kBatch = 64;
  const std::size_t limit = gpu.device->usage().used_bytes + (std::size_t{700} << 20);
  gpu.device->SetLimit(limit);
  const Batch shape = TestBatch(model, kBatch);
  const auto uploader = gpu.device->MakeUploader(2, shape.pixels.bytes());
  const auto prefix = gpu.device->MakePrefix(model, TestWeights, Precision::kFloat32, kBatch);
  for (int i = 0; i < 4; ++i) {
    Batch batch = TestBatch(model, kBatch - i);
    uploader->Upload(batch);
    const FeatureBatch features = prefix->Run(std::move(batch));
    EXPECT_EQ(features.values.size(), (kBatch - i) * 1280u);
  }
  const MemoryUsage usage = gpu.device->usage();
  EXPECT_EQ(usage.limit_bytes, limit);
  EXPECT_LE(usage.used_bytes, limit);
  EXPECT_LE(usage.peak_bytes, limit);
}

TEST(CudaLibrary, RefusesALimitBelowTheContext) {
  const TestGpu gpu;
  if (!gpu.device) GTEST_SKIP() << gpu.why_not;
  EXPECT_THAT(
      CaughtError([&] { gpu.device->SetLimit(std::size_t{100} << 20); }),
      MatchesRegex("memory.device: 100 MiB are too little: CUDA itself holds .* on the GPU, "
                   "and 64.0 MiB are kept for its kernels\nRaise memory.device, or run on "
                   "the processor .prefetch: .device: cpu.*"));
}

}  // namespace
}  // namespace weir
