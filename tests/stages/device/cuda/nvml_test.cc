#include "stages/device/cuda/nvml.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr const char* kGpu = "0000:01:00.0";

TEST(Nvml, TellsOfTheGpu) {
  const Nvml nvml(WEIR_FAKE_NVML);
  EXPECT_EQ(nvml.driver_version(), "580.65.06");
  const auto memory = nvml.MemoryOf(kGpu);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, 1000u);
  EXPECT_EQ(memory->free_bytes, 300u);
  EXPECT_EQ(memory->used_bytes, 700u);
  EXPECT_FALSE(nvml.MemoryOf("0000:02:00.0"));
}

TEST(Nvml, FindsTheProcessAmongMany) {
  const Nvml nvml(WEIR_FAKE_NVML);
  EXPECT_EQ(nvml.ProcessBytes(kGpu, 137), 137u);
  EXPECT_FALSE(nvml.ProcessBytes(kGpu, 1));    // not there
  EXPECT_FALSE(nvml.ProcessBytes(kGpu, 139));  // there, but the driver does not tell
}

TEST(Nvml, TellsNothingWithoutADriver) {
  for (const char* library : {"/none/libnvidia-ml.so.1", "libdl.so.2"}) {
    const Nvml nvml(library);
    EXPECT_FALSE(nvml.driver_version());
    EXPECT_FALSE(nvml.MemoryOf(kGpu));
    EXPECT_FALSE(nvml.ProcessBytes(kGpu, 1));
  }
}

}  // namespace
}  // namespace weir
