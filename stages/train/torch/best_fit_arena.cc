#include "stages/train/torch/best_fit_arena.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <new>
#include <utility>

namespace weir {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kChunk = std::size_t{64} << 20;      // addresses; pages come when touched
constexpr std::size_t kSmallChunk = std::size_t{4} << 20;  // where addresses are limited
constexpr std::size_t kMostBytes = static_cast<std::size_t>(-1) / 4;
constexpr std::size_t kAlwaysKept = std::size_t{1} << 20;

std::size_t RoundUp(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// RLIMIT_AS and RLIMIT_DATA count addresses that nothing has touched yet.
bool AreAddressesLimited() {
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit{};
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) return true;
  }
  return false;
}

std::byte* PageAtOrAfter(std::byte* address) {
  const auto value = reinterpret_cast<std::size_t>(address);
  return address + (RoundUp(value, kPage) - value);
}

}  // namespace

BestFitArena::~BestFitArena() {
  for (const auto& [begin, bytes] : chunks_) munmap(begin, bytes);
}

void* BestFitArena::Allocate(std::size_t bytes) {
  std::lock_guard lock(mutex_);
  if (bytes > std::min(usage_.limit_bytes, kMostBytes)) return nullptr;  // rounding could wrap
  bytes = RoundUp(bytes, kAlignment);
  if (bytes > usage_.limit_bytes - std::min(usage_.used_bytes, usage_.limit_bytes)) return nullptr;
  auto block = FindFree(bytes);
  if (block == blocks_.end()) {
    if (!AddChunk(bytes)) return nullptr;
    block = FindFree(bytes);
  }
  const auto held_with_it = [&] {
    return usage_.held_bytes + bytes - std::min(bytes, block->second.resident_bytes);
  };
  if (held_with_it() > usage_.limit_bytes) {
    GiveBackDownTo(usage_.limit_bytes - bytes);
    if (held_with_it() > usage_.limit_bytes) return nullptr;
  }
  TakeFront(block, bytes);
  return block->first;
}

void BestFitArena::Free(void* address) {
  std::lock_guard lock(mutex_);
  auto block = blocks_.find(static_cast<std::byte*>(address));
  assert(block != blocks_.end() && !block->second.free);
  usage_.used_bytes -= block->second.bytes;
  block->second.free = true;
  block->second.resident_bytes = block->second.bytes;
  const auto next = std::next(block);
  if (next != blocks_.end() && next->second.free && !next->second.begins_chunk) {
    EraseFree(next);
    block = MergeWithNext(block);
  }
  if (block != blocks_.begin() && !block->second.begins_chunk) {
    const auto previous = std::prev(block);
    if (previous->second.free) {
      EraseFree(previous);
      block = MergeWithNext(previous);
    }
  }
  InsertFree(block);
  const std::size_t most = std::min(
      usage_.limit_bytes, usage_.peak_used_bytes + usage_.peak_used_bytes / 4 + kAlwaysKept);
  if (usage_.held_bytes > most) GiveBackDownTo(most);
}

void BestFitArena::Trim() {
  std::lock_guard lock(mutex_);
  UnmapFreeChunks();
  GiveBackDownTo(0);
}

void BestFitArena::set_limit_bytes(std::size_t limit_bytes) {
  std::lock_guard lock(mutex_);
  usage_.limit_bytes = limit_bytes;
  if (usage_.held_bytes > limit_bytes) GiveBackDownTo(limit_bytes);
}

void BestFitArena::ResetPeak() {
  std::lock_guard lock(mutex_);
  usage_.peak_used_bytes = usage_.used_bytes;
  usage_.peak_held_bytes = usage_.held_bytes;
}

ArenaUsage BestFitArena::usage() const {
  std::lock_guard lock(mutex_);
  return usage_;
}

BestFitArena::Blocks::iterator BestFitArena::FindFree(std::size_t bytes) {
  const auto found = free_.lower_bound({bytes, nullptr});
  return found == free_.end() ? blocks_.end() : blocks_.find(found->second);
}

bool BestFitArena::AddChunk(std::size_t bytes) {
  const std::size_t size =
      RoundUp(std::max(bytes, AreAddressesLimited() ? kSmallChunk : kChunk), kPage);
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return false;
  // A huge page would make bytes resident that nobody asked for.
  madvise(mapped, size, MADV_NOHUGEPAGE);
  auto* begin = static_cast<std::byte*>(mapped);
  try {
    chunks_.emplace(begin, size);
    AddFree(begin, Block{.bytes = size, .begins_chunk = true});
  } catch (const std::bad_alloc&) {
    chunks_.erase(begin);
    munmap(mapped, size);
    return false;
  }
  return true;
}

void BestFitArena::TakeFront(Blocks::iterator block, std::size_t bytes) {
  Block& taken = block->second;
  const std::size_t rest = taken.bytes - bytes;
  const std::size_t reused = std::min(bytes, taken.resident_bytes);
  if (rest > 0) {
    AddFree(block->first + bytes,
            Block{.bytes = rest, .resident_bytes = taken.resident_bytes - reused});
  }
  EraseFree(block);
  taken.free = false;
  taken.bytes = bytes;
  taken.resident_bytes = 0;
  usage_.held_bytes += bytes - reused;
  usage_.used_bytes += bytes;
  usage_.peak_used_bytes = std::max(usage_.peak_used_bytes, usage_.used_bytes);
  usage_.peak_held_bytes = std::max(usage_.peak_held_bytes, usage_.held_bytes);
}

BestFitArena::Blocks::iterator BestFitArena::MergeWithNext(Blocks::iterator block) {
  const auto next = std::next(block);
  Block& merged = block->second;
  if (next->second.resident_bytes > 0) {
    usage_.held_bytes += merged.bytes - merged.resident_bytes;  // what lies between counts as held
    merged.resident_bytes = merged.bytes + next->second.resident_bytes;
  }
  merged.bytes += next->second.bytes;
  blocks_.erase(next);
  return block;
}

// All or, where it throws std::bad_alloc, nothing.
void BestFitArena::AddFree(std::byte* address, Block block) {
  const auto free = free_.emplace(block.bytes, address).first;
  auto resident = resident_.end();
  try {
    resident = resident_.emplace(block.resident_bytes, address).first;
    blocks_.emplace(address, std::move(block));
  } catch (...) {
    free_.erase(free);
    if (resident != resident_.end()) resident_.erase(resident);
    throw;
  }
}

void BestFitArena::InsertFree(Blocks::iterator block) {
  Block& freed = block->second;
  freed.by_size.value() = {freed.bytes, block->first};
  freed.by_resident.value() = {freed.resident_bytes, block->first};
  free_.insert(std::move(freed.by_size));
  resident_.insert(std::move(freed.by_resident));
}

void BestFitArena::EraseFree(Blocks::iterator block) {
  Block& taken = block->second;
  taken.by_size = free_.extract(SizedBlocks::key_type(taken.bytes, block->first));
  taken.by_resident = resident_.extract(SizedBlocks::key_type(taken.resident_bytes, block->first));
}

void BestFitArena::GiveBack(Blocks::iterator block) {
  std::byte* const end = block->first + block->second.bytes;
  std::byte* const first = PageAtOrAfter(block->first);
  if (first + kPage > end) return;
  const std::size_t pages = static_cast<std::size_t>(end - first) / kPage * kPage;
  madvise(first, pages, MADV_DONTNEED);
  const std::size_t left = std::min(block->second.resident_bytes, block->second.bytes - pages);
  EraseFree(block);
  usage_.held_bytes -= block->second.resident_bytes - left;
  block->second.resident_bytes = left;
  InsertFree(block);
}

void BestFitArena::GiveBackDownTo(std::size_t held_bytes) {
  auto next = resident_.end();
  while (usage_.held_bytes > held_bytes && next != resident_.begin()) {
    const auto largest = *std::prev(next);
    if (largest.first == 0) return;
    GiveBack(blocks_.find(largest.second));
    next = resident_.lower_bound(largest);  // what was before it, wherever the block itself went
  }
}

void BestFitArena::UnmapFreeChunks() {
  for (auto chunk = chunks_.begin(); chunk != chunks_.end();) {
    const auto block = blocks_.find(chunk->first);
    if (!block->second.free || block->second.bytes != chunk->second) {
      ++chunk;
      continue;
    }
    EraseFree(block);
    usage_.held_bytes -= block->second.resident_bytes;
    munmap(chunk->first, chunk->second);
    blocks_.erase(block);
    chunk = chunks_.erase(chunk);
  }
}

}  // namespace weir
