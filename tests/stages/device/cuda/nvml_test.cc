#include "stages/device/cuda/nvml.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

const GpuAddress kGpu{.uuid = "c0", .bus_id = "0000:01:00.0", .total_bytes = 980};

TEST(Nvml, TellsOfTheGpu) {
  const Nvml nvml(WEIR_FAKE_NVML);
  EXPECT_EQ(nvml.driver_version(), "580.65.06");
  const auto memory = nvml.MemoryOf(kGpu);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, 1000u);
  EXPECT_EQ(memory->free_bytes, 300u);
  EXPECT_EQ(memory->used_bytes, 700u);
  // Where it has no name that is known, by its place.
  EXPECT_TRUE(nvml.MemoryOf({.uuid = "?", .bus_id = kGpu.bus_id, .total_bytes = 980}));
  EXPECT_FALSE(nvml.MemoryOf({.uuid = "?", .bus_id = "0000:02:00.0", .total_bytes = 980}));
}

// A process sees a slice of a card, at the card's place.
TEST(Nvml, TellsOfTheSliceOfACard) {
  const Nvml nvml(WEIR_FAKE_NVML);
  const GpuAddress slice{.uuid = "51", .bus_id = kGpu.bus_id, .total_bytes = 135};
  ASSERT_TRUE(nvml.MemoryOf(slice));
  EXPECT_EQ(nvml.MemoryOf(slice)->free_bytes, 40u);
  EXPECT_EQ(nvml.ProcessBytes(slice, 101), 101u);
}

// Its whole card's figures say nothing of it.
TEST(Nvml, DoesNotTakeTheCardForItsSlice) {
  const Nvml nvml(WEIR_FAKE_NVML);
  const GpuAddress unknown{.uuid = "52", .bus_id = kGpu.bus_id, .total_bytes = 135};
  EXPECT_FALSE(nvml.MemoryOf(unknown));
  EXPECT_FALSE(nvml.ProcessBytes(unknown, 101));
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
