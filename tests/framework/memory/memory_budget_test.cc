#include "framework/memory/memory_budget.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace weir {
namespace {

TEST(MemoryBudget, RefusesWhatDoesNotFitAndKeepsWhatIsHeld) {
  MemoryBudget budget(100);
  auto held = budget.TryAcquire(MemoryTag::kImage, 70);
  ASSERT_TRUE(held);
  EXPECT_FALSE(budget.TryAcquire(MemoryTag::kBatch, 31));
  EXPECT_TRUE(budget.TryAcquire(MemoryTag::kBatch, 30));
  EXPECT_EQ(budget.usage().used_bytes, 70u);
  EXPECT_EQ(budget.usage().peak_bytes, 100u);
}

TEST(MemoryBudget, AnImpossibleRequestDoesNotWrapAround) {
  MemoryBudget budget(100);
  auto held = budget.TryAcquire(MemoryTag::kImage, 1);
  EXPECT_FALSE(budget.TryAcquire(MemoryTag::kImage, SIZE_MAX));
}

TEST(Lease, GivesBackExactlyOnceHoweverItIsMoved) {
  MemoryBudget budget(100);
  {
    auto a = budget.TryAcquire(MemoryTag::kImage, 40);
    auto b = budget.TryAcquire(MemoryTag::kBatch, 10);
    Lease moved = *std::move(a);
    moved = *std::move(b);
    EXPECT_EQ(moved.bytes(), 10u);
    EXPECT_EQ(budget.usage().used_bytes, 10u);
  }
  EXPECT_EQ(budget.usage().used_bytes, 0u);
  for (std::size_t bytes : budget.usage().used_by_tag) EXPECT_EQ(bytes, 0u);
}

TEST(Lease, ShrinksButNeverGrows) {
  MemoryBudget budget(100);
  auto lease = budget.TryAcquire(MemoryTag::kImage, 80);
  lease->ShrinkTo(20);
  EXPECT_EQ(budget.usage().used_bytes, 20u);
  EXPECT_THROW(lease->ShrinkTo(21), std::invalid_argument);
}

TEST(MemoryBudget, ManyThreadsNeverPassTheLimit) {
  MemoryBudget budget(1000);
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&budget, seed] {
      std::mt19937 random(seed);
      std::vector<Lease> held;
      for (int i = 0; i < 20000; ++i) {
        auto lease = budget.TryAcquire(MemoryTag::kImage, random() % 400);
        if (lease) held.push_back(*std::move(lease));
        if (held.size() > 2 || random() % 3 == 0) held.clear();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(budget.usage().peak_bytes, 1000u);
  EXPECT_GT(budget.usage().peak_bytes, 600u);  // the threads did compete
  EXPECT_EQ(budget.usage().used_bytes, 0u);
}

}  // namespace
}  // namespace weir
