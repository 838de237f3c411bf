#include "stages/train/torch/torch_allocator.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TorchGrant Grant(MemoryBudget& budget, std::size_t bytes) {
  std::vector<Lease> leases;
  leases.push_back(*budget.TryAcquire(MemoryTag::kActivation, bytes));
  return TorchAllocator::Install().Grant(std::move(leases), "train");
}

TEST(TorchAllocator, CountsTensors) {
  const TorchAllocator& allocator = TorchAllocator::Install();
  const std::size_t before = allocator.usage().used_bytes;
  {
    const at::Tensor tensor = at::empty({1024, 1024}, at::kFloat);
    EXPECT_EQ(allocator.usage().used_bytes, before + 4 * kMiB);
    EXPECT_EQ(reinterpret_cast<std::size_t>(tensor.const_data_ptr()) % 64, 0u);
  }
  EXPECT_EQ(allocator.usage().used_bytes, before);
}

TEST(TorchAllocator, RefusesInWordsWhatWasNotGrantedAndGoesOn) {
  MemoryBudget budget(100 * kMiB);
  const TorchGrant grant = Grant(budget, 8 * kMiB);
  const at::Tensor held = at::empty({1024, 1024}, at::kFloat);
  EXPECT_EQ(CaughtError([] {
              at::empty({5, 1024, 256}, at::kFloat);
            }),
            "train: LibTorch asked for 5.00 MiB and holds 4.00 MiB of its 8.00 MiB\n"
            "Give training.micro_batch a smaller number, or raise memory.host.");
  // Also from deep inside an operation, and it works again afterwards.
  const std::array<std::int64_t, 2> one = {1, 1}, none = {0, 0};
  const auto convolve = [&](std::int64_t size) {
    return at::convolution(at::ones({1, 4, size, size}), at::ones({16, 4, 3, 3}), {}, one, one, one,
                           false, none, 1);
  };
  EXPECT_NE(CaughtError([&] { convolve(256); }), "nothing was thrown");
  EXPECT_EQ(convolve(8)[0][0][4][4].item<float>(), 36);
  EXPECT_LE(TorchAllocator::Install().usage().held_bytes, 8 * kMiB);
}

TEST(TorchAllocator, AGrantEndsWithItsObject) {
  MemoryBudget budget(100 * kMiB);
  { const TorchGrant grant = Grant(budget, kMiB); }
  EXPECT_EQ(budget.usage().used_bytes, 0u);
  EXPECT_EQ(CaughtError([] { at::empty({2, 1024, 1024}, at::kFloat); }), "nothing was thrown");
}

// What oneDNN inside LibTorch asks of an allocator.
TEST(TorchAllocator, GivesRawMemory) {
  TorchAllocator::Install();
  c10::Allocator* const allocator = c10::GetCPUAllocator();
  ASSERT_NE(allocator->raw_deleter(), nullptr);
  void* const block = allocator->raw_allocate(1000);
  ASSERT_NE(block, nullptr);
  allocator->raw_deallocate(block);
  allocator->raw_deallocate(allocator->raw_allocate(0));
}

}  // namespace
}  // namespace weir
