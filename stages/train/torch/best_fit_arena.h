// Memory for blocks of very different sizes that come and go in the same pattern over and over, as
// the activations of a training step do.
//
// Best fit with neighbours merged, over chunks of address space. What was freed stays resident, to
// be used again without page faults, but never more than a quarter of the peak, and it is given
// back to the system before the limit would be passed: resident memory is at most limit_bytes, at
// most 1.25 times the peak of what was in use (and 1 MiB), and fragments cost addresses alone.
//
// All members may be called from any thread. An entry costs about 150 bytes of heap beside the
// block itself.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace weir {

struct ArenaUsage {
  std::size_t limit_bytes = 0;
  std::size_t used_bytes = 0;  // in blocks given out
  std::size_t held_bytes = 0;  // resident: used, and free but not given back; an upper bound
  std::size_t peak_used_bytes = 0;
  std::size_t peak_held_bytes = 0;
};

class BestFitArena {
 public:
  static constexpr std::size_t kAlignment = 64;  // a cache line, an AVX-512 register

  BestFitArena() = default;
  BestFitArena(const BestFitArena&) = delete;
  BestFitArena& operator=(const BestFitArena&) = delete;
  ~BestFitArena();  // its blocks end with it

  // Uninitialised, aligned to kAlignment. Null where it does not fit under the limit, or the system
  // has no addresses left. `bytes` is at least 1.
  void* Allocate(std::size_t bytes);
  void Free(void* address);

  // Gives everything that is free back to the system.
  void Trim();

  void set_limit_bytes(std::size_t limit_bytes);
  void ResetPeak();  // the peak becomes what is in use now
  ArenaUsage usage() const;

 private:
  using SizedBlocks = std::set<std::pair<std::size_t, std::byte*>>;
  struct Block {
    std::size_t bytes = 0;
    std::size_t resident_bytes = 0;  // how much of a free block is resident, counted from its front
    bool free = true;
    bool begins_chunk = false;
    // Its entries in free_ and resident_ while it is not there, so that to free takes no memory.
    SizedBlocks::node_type by_size{};
    SizedBlocks::node_type by_resident{};
  };
  using Blocks = std::map<std::byte*, Block>;

  Blocks::iterator FindFree(std::size_t bytes);
  bool AddChunk(std::size_t bytes);
  void TakeFront(Blocks::iterator block, std::size_t bytes);
  Blocks::iterator MergeWithNext(Blocks::iterator block);
  void AddFree(std::byte* address, Block block);
  void InsertFree(Blocks::iterator block);
  void EraseFree(Blocks::iterator block);
  void GiveBack(Blocks::iterator block);
  void GiveBackDownTo(std::size_t held_bytes);  // as near as it gets
  void UnmapFreeChunks();

  mutable std::mutex mutex_;
  Blocks blocks_;                             // all, by address
  SizedBlocks free_;                          // by size
  SizedBlocks resident_;                      // free blocks by resident bytes
  std::map<std::byte*, std::size_t> chunks_;  // mapped, with their sizes
  ArenaUsage usage_{.limit_bytes = static_cast<std::size_t>(-1)};
};

}  // namespace weir
