#include "stages/device/cuda/device_ledger.h"

#include <gtest/gtest.h>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = 1 << 20;
constexpr const char* kRemedy =
    "\nRaise memory.device, or run on the processor (prefetch: {device: cpu}).";

// CUDA's part is a figure; LibTorch takes what it wants within what it may.
class FakeMeter final : public DeviceMeter {
 public:
  std::size_t process_bytes(std::size_t) override { return outside + own + torch; }
  std::size_t torch_bytes() override { return torch; }
  std::size_t torch_peak_bytes() override { return torch; }
  void AllowTorch(std::size_t bytes) override { allowed = bytes; }

  std::size_t outside = 500 * kMiB;
  std::size_t own = 0;
  std::size_t torch = 0;
  std::size_t allowed = 0;
};

TEST(DeviceLedger, LeavesToLibTorchWhatNobodyElseHolds) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  ledger.SetLimit(1000 * kMiB);
  EXPECT_EQ(meter.allowed, 436 * kMiB);  // 1000 - 500 - the room of 64

  const Lease slots = ledger.Take(MemoryTag::kBatch, 20 * kMiB, "prefetch: 2 batches");
  EXPECT_EQ(meter.allowed, 416 * kMiB);
}

// Kernels that were loaded since, workspaces: LibTorch gets so much less.
TEST(DeviceLedger, MeasuresAgain) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  ledger.SetLimit(1000 * kMiB);
  meter.outside += 30 * kMiB;
  meter.torch = 100 * kMiB;
  EXPECT_TRUE(ledger.Settle());
  EXPECT_EQ(meter.allowed, 406 * kMiB);

  meter.torch = 406 * kMiB;
  meter.outside += 65 * kMiB;
  EXPECT_FALSE(ledger.Settle());  // 1 MiB more than the room
}

TEST(DeviceLedger, RefusesALimitThatCudaItselfPasses) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  EXPECT_EQ(CaughtError([&] { ledger.SetLimit(512 * kMiB); }),
            std::string("memory.device: 512 MiB are too little: CUDA itself holds 500 MiB on the "
                        "GPU, and 64.0 MiB are kept for its kernels") +
                kRemedy);
}

TEST(DeviceLedger, RefusesWhatDoesNotFit) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  ledger.SetLimit(600 * kMiB);
  const Lease first = ledger.Take(MemoryTag::kBatch, 30 * kMiB, "prefetch: 3 batches");
  meter.own = 30 * kMiB;
  EXPECT_EQ(CaughtError([&] {
              const Lease lease = ledger.Take(MemoryTag::kBatch, 7 * kMiB, "prefetch: 2 batches");
            }),
            std::string("prefetch: 2 batches of 7.00 MiB do not fit on the GPU: 530 MiB of 600 MiB "
                        "are in use (500 MiB by CUDA itself), and 64.0 MiB are kept for its "
                        "kernels") +
                kRemedy);
  EXPECT_EQ(ledger.Take(MemoryTag::kBatch, 5 * kMiB, "prefetch").bytes(), 6 * kMiB);
}

TEST(DeviceLedger, TellsWhoHoldsWhat) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  ledger.SetLimit(1000 * kMiB);
  const Lease slots = ledger.Take(MemoryTag::kBatch, 10 * kMiB, "prefetch");
  meter.own = 10 * kMiB;
  meter.torch = 40 * kMiB;
  const MemoryUsage usage = ledger.usage();
  EXPECT_EQ(usage.limit_bytes, 1000 * kMiB);
  EXPECT_EQ(usage.used_bytes, 550 * kMiB);
  EXPECT_EQ(usage.used_by_tag[static_cast<int>(MemoryTag::kReserve)], 500 * kMiB);
  EXPECT_EQ(usage.used_by_tag[static_cast<int>(MemoryTag::kBatch)], 10 * kMiB);
  EXPECT_EQ(usage.used_by_tag[static_cast<int>(MemoryTag::kActivation)], 40 * kMiB);
  EXPECT_EQ(usage.peak_bytes, 550 * kMiB);
}

// Where nobody said memory.device.
TEST(DeviceLedger, HasTheWholeDeviceAtFirst) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  EXPECT_TRUE(ledger.Settle());
  EXPECT_EQ(meter.allowed, 7436 * kMiB);
}

}  // namespace
}  // namespace weir
