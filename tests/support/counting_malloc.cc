#include "tests/support/counting_malloc.h"

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace weir {
namespace {

std::atomic<std::size_t> live{0};
std::atomic<std::size_t> peak{0};

}  // namespace

AllocatedBytes::AllocatedBytes() : live_(live.load()) { peak = live_; }

std::size_t AllocatedBytes::peak_growth() const { return std::max(peak.load(), live_) - live_; }

}  // namespace weir

#ifndef WEIR_HAS_SANITIZER

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

void Add(std::size_t bytes) {
  const std::size_t now = weir::live.fetch_add(bytes) + bytes;
  std::size_t most = weir::peak.load();
  while (now > most && !weir::peak.compare_exchange_weak(most, now)) {
  }
}

std::size_t BytesOf(void* memory) { return malloc_usable_size(memory) + sizeof(std::size_t); }

void* Counted(void* memory) {
  if (memory) Add(BytesOf(memory));
  return memory;
}

// Whether glibc mapped it by itself: then it grows in place or moves without being copied. (A bit
// of the size in front of it.)
bool IsMapped(void* memory) { return static_cast<std::uintptr_t*>(memory)[-1] & 2; }

}  // namespace

extern "C" {

void* malloc(std::size_t size) { return Counted(__libc_malloc(size)); }

void* calloc(std::size_t count, std::size_t size) { return Counted(__libc_calloc(count, size)); }

void free(void* memory) {
  if (memory) weir::live -= BytesOf(memory);
  __libc_free(memory);
}

void* realloc(void* memory, std::size_t size) {
  if (!memory) return malloc(size);
  const std::size_t before = BytesOf(memory);
  const bool was_mapped = IsMapped(memory);
  void* const moved = __libc_realloc(memory, size);
  if (!moved) {
    if (size == 0) weir::live -= before;
    return nullptr;
  }
  // While it is copied there are both.
  const bool copied = moved != memory && !was_mapped;
  if (!copied) weir::live -= before;
  Counted(moved);
  if (copied) weir::live -= before;
  return moved;
}

void* memalign(std::size_t alignment, std::size_t size) {
  return Counted(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  void* const taken = memalign(alignment, size);
  if (!taken) return ENOMEM;
  *memory = taken;
  return 0;
}

// What is mapped by others than glibc's malloc, which doesn't come this way.
void* mmap(void* at, std::size_t size, int protection, int flags, int file, off_t offset) {
  const auto mapped = syscall(SYS_mmap, at, size, protection, flags, file, offset);
  if (mapped != -1) Add(size);
  return reinterpret_cast<void*>(mapped);
}

int munmap(void* at, std::size_t size) {
  const auto status = syscall(SYS_munmap, at, size);
  if (status == 0) weir::live -= size;
  return static_cast<int>(status);
}
}

#endif
