#include "tests/support/counted_heap.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> held_bytes{0};
std::atomic<std::size_t> peak_bytes{0};

void* Counted(void* taken) {
  if (!taken) throw std::bad_alloc();
  const std::size_t now = held_bytes += ::malloc_usable_size(taken);
  std::size_t peak = peak_bytes;
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now)) {
  }
  return taken;
}

void Free(void* taken) noexcept {
  if (taken) held_bytes -= ::malloc_usable_size(taken);
  std::free(taken);
}

std::size_t RoundedUp(std::size_t bytes, std::size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

void* operator new(std::size_t bytes) { return Counted(std::malloc(bytes)); }
void* operator new[](std::size_t bytes) { return Counted(std::malloc(bytes)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return Counted(std::aligned_alloc(align, RoundedUp(bytes, align)));
}
void operator delete(void* taken) noexcept { Free(taken); }
void operator delete[](void* taken) noexcept { Free(taken); }
void operator delete(void* taken, std::size_t) noexcept { Free(taken); }
void operator delete[](void* taken, std::size_t) noexcept { Free(taken); }
void operator delete(void* taken, std::align_val_t) noexcept { Free(taken); }
void operator delete(void* taken, std::size_t, std::align_val_t) noexcept { Free(taken); }

namespace weir {

std::size_t HeapGrowth(const std::function<void()>& work) {
  const std::size_t before = held_bytes;
  peak_bytes = before;
  work();
  return peak_bytes - before;
}

}  // namespace weir
