#include "stages/train/torch/best_fit_arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/sanitizer.h"

namespace weir {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Blocks as a training step has them: many small, few large, each filled with its own byte.
class Model {
 public:
  Model(BestFitArena& arena, unsigned seed) : arena_(arena), random_(seed) {}

  void Allocate() {
    const std::size_t bytes = 1 + random_() % (std::size_t{1} << (random_() % 22));
    auto* block = static_cast<unsigned char*>(arena_.Allocate(bytes));
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(reinterpret_cast<std::size_t>(block) % BestFitArena::kAlignment, 0u);
    const auto after = blocks_.lower_bound(block);
    if (after != blocks_.end()) {
      ASSERT_LE(block + bytes, after->first);
    }
    if (after != blocks_.begin()) {
      const auto before = std::prev(after);
      ASSERT_LE(before->first + before->second.bytes, block);
    }
    const auto fill = static_cast<unsigned char>(random_());
    std::memset(block, fill, bytes);
    blocks_[block] = {bytes, fill};
  }

  void FreeOne() {
    auto chosen = std::next(blocks_.begin(), random_() % blocks_.size());
    const auto [bytes, fill] = chosen->second;
    for (std::size_t i = 0; i < bytes; ++i) ASSERT_EQ(chosen->first[i], fill);
    arena_.Free(chosen->first);
    blocks_.erase(chosen);
  }

  std::size_t size() const { return blocks_.size(); }

 private:
  struct Block {
    std::size_t bytes;
    unsigned char fill;
  };
  BestFitArena& arena_;
  std::mt19937 random_;
  std::map<unsigned char*, Block> blocks_;
};

TEST(BestFitArena, BlocksNeverMeetAndWhatIsHeldStaysNearThePeak) {
  BestFitArena arena;
  Model model(arena, 1);
  std::mt19937 random(2);
  for (int i = 0; i < (kHasSanitizer ? 1000 : 6000); ++i) {  // it looks at every byte
    if (model.size() < 20 || (model.size() < 200 && random() % 2)) {
      ASSERT_NO_FATAL_FAILURE(model.Allocate());
    } else {
      ASSERT_NO_FATAL_FAILURE(model.FreeOne());
    }
    const ArenaUsage usage = arena.usage();
    ASSERT_LE(usage.held_bytes, usage.peak_used_bytes * 5 / 4 + kMiB);
    ASSERT_GE(usage.held_bytes, usage.used_bytes);
  }
  while (model.size() > 0) ASSERT_NO_FATAL_FAILURE(model.FreeOne());
  arena.Trim();
  EXPECT_EQ(arena.usage().used_bytes, 0u);
  EXPECT_EQ(arena.usage().held_bytes, 0u);
}

TEST(BestFitArena, KeepsToItsLimitAndGivesBackRatherThanRefuse) {
  BestFitArena arena;
  arena.set_limit_bytes(10 * kMiB);
  void* const first = arena.Allocate(6 * kMiB);
  void* const between = arena.Allocate(64);
  EXPECT_EQ(arena.Allocate(5 * kMiB), nullptr);
  arena.Free(first);
  // The 6 MiB that are free are too small for it, but still resident.
  void* const second = arena.Allocate(9 * kMiB);
  ASSERT_NE(second, nullptr);
  EXPECT_LE(arena.usage().peak_held_bytes, 10 * kMiB);
  arena.Free(second);
  arena.Free(between);
}

TEST(BestFitArena, ServesWhatFitsHoweverItsMemoryIsCutUp) {
  constexpr std::size_t kLimit = 16 * kMiB;
  BestFitArena arena;
  arena.set_limit_bytes(kLimit);
  std::mt19937 random(3);
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (int i = 0; i < 20000; ++i) {
    const std::size_t bytes = 1 + random() % (kMiB << (random() % 3));
    // Pages that are shared by two blocks cannot be given back.
    const std::size_t room = kLimit - arena.usage().used_bytes - blocks.size() * 2 * 4096;
    if (bytes + 3 * 4096 < room) {
      void* const block = arena.Allocate(bytes);
      ASSERT_NE(block, nullptr) << bytes << " of " << room;
      blocks.emplace_back(block, bytes);
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      arena.Free(blocks.back().first);
      blocks.pop_back();
    }
    ASSERT_LE(arena.usage().held_bytes, kLimit);
  }
  for (const auto& [block, bytes] : blocks) arena.Free(block);
}

TEST(BestFitArena, AnImpossibleRequestDoesNotWrapAround) {
  BestFitArena arena;
  EXPECT_EQ(arena.Allocate(static_cast<std::size_t>(-1)), nullptr);
  EXPECT_EQ(arena.Allocate(std::size_t{1} << 62), nullptr);
}

TEST(BestFitArena, TheSamePatternTakesNoMoreMemory) {
  BestFitArena arena;
  std::size_t after_first = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<void*> blocks;
    for (std::size_t size : {5, 1, 7, 3, 2, 6}) blocks.push_back(arena.Allocate(size * kMiB));
    for (void* block : blocks) arena.Free(block);
    if (round == 0) after_first = arena.usage().peak_held_bytes;
  }
  EXPECT_EQ(arena.usage().peak_held_bytes, after_first);
}

TEST(BestFitArena, ServesManyThreads) {
  BestFitArena arena;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&arena, seed] {
      Model model(arena, seed);
      for (int i = 0; i < 500; ++i) model.size() < 20 ? model.Allocate() : model.FreeOne();
      while (model.size() > 0) model.FreeOne();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(arena.usage().used_bytes, 0u);
}

}  // namespace
}  // namespace weir
