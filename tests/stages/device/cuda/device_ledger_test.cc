#include "stages/device/cuda/device_ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = 1 << 20;
constexpr const char* kRemedy =
    "\nRaise memory.device, or run on the processor (prefetch: {device: cpu}).";

// CUDA's part is a figure; LibTorch takes what it wants within what it may.
class FakeMeter final : public DeviceMeter {
 public:
  Held process_bytes(std::size_t) override { return {outside + own + torch, may_be_others}; }
  std::size_t torch_bytes() override { return torch; }
  std::size_t torch_peak_bytes() override { return std::max(torch, torch_peak); }
  void ForgetTorchPeak() override { torch_peak = torch; }
  void AllowTorch(std::size_t bytes) override { allowed = bytes; }

  std::size_t outside = 500 * kMiB;
  std::size_t own = 0;
  std::size_t torch = 0;
  std::size_t torch_peak = 0;
  std::size_t allowed = 0;
  bool may_be_others = false;
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

// LibTorch gave back what it held at most before CUDA's part grew: the two were never there
// together.
TEST(DeviceLedger, TellsTheMostThatWasInUseAtOneTime) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  ledger.SetLimit(1000 * kMiB);
  meter.torch_peak = 400 * kMiB;
  EXPECT_TRUE(ledger.Settle());
  meter.outside += 70 * kMiB;
  meter.torch = 100 * kMiB;
  EXPECT_TRUE(ledger.Settle());
  EXPECT_EQ(ledger.usage().peak_bytes, 900 * kMiB);
}

// A measurement asks the driver, so it is not made for every piece of work.
TEST(DeviceLedger, MeasuresMoreAndMoreSeldomInAPass) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  ledger.SetLimit(1000 * kMiB);
  for (int pass = 0; pass < 2; ++pass) {
    ledger.BeginPass();
    std::vector<int> measured;
    for (int turn = 1; turn <= 20; ++turn) {
      meter.outside += kMiB / 4;
      const std::size_t before = meter.allowed;
      ledger.SettleInTurn();
      if (meter.allowed != before) measured.push_back(turn);
    }
    EXPECT_EQ(measured, (std::vector<int>{1, 2, 4, 8, 16}));
    ledger.SettleAtEnd();
    EXPECT_EQ(meter.allowed, 1000 * kMiB - meter.outside - DeviceLedger::kKernelRoom);
  }
}

TEST(DeviceLedger, EndsAJobThatGrowsAboveTheLimit) {
  FakeMeter meter;
  DeviceLedger ledger(meter, 8000 * kMiB);
  ledger.SetLimit(1000 * kMiB);
  meter.torch = meter.allowed;
  meter.outside += 64 * kMiB;
  ledger.SettleAtEnd();  // all of the room
  meter.outside += 2 * kMiB;
  EXPECT_EQ(CaughtError([&] { ledger.SettleAtEnd(); }),
            std::string("memory.device: kernels and workspaces of CUDA have come to take more than "
                        "was kept: 1002 MiB of 1000 MiB are in use (566 MiB by CUDA itself), and "
                        "64.0 MiB are kept for its kernels") +
                kRemedy);
  EXPECT_EQ(ledger.usage().peak_bytes, 1002 * kMiB);
}

// Where the driver does not tell this process from others, what they take is not this job's end.
TEST(DeviceLedger, GoesOnWhereOthersMayHaveTakenMore) {
  FakeMeter meter;
  meter.may_be_others = true;
  DeviceLedger ledger(meter, 8000 * kMiB);
  ledger.SetLimit(1000 * kMiB);
  const std::size_t allowed = meter.allowed;
  meter.outside += 3000 * kMiB;
  ledger.SettleAtEnd();
  EXPECT_EQ(meter.allowed, allowed);
  EXPECT_EQ(ledger.usage().peak_bytes, 500 * kMiB);
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
