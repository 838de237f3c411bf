// malloc that has no memory for one request, or for all from one on: to be preloaded
// (failing_preload.h).
//
// Requests are malloc, calloc, realloc, aligned_alloc, memalign and posix_memalign, of any thread;
// operator new comes through them. What is mapped by mmap is not among them.
#include <cerrno>
#include <cstddef>

#include "tests/support/failing_preload.h"

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

std::atomic<unsigned long> requests{0};

void WriteCounts(std::FILE* file) { std::fprintf(file, "malloc %lu\n", requests.load()); }

bool HasNone() {
  if (!Counts() || !Fails(++requests)) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) { return HasNone() ? nullptr : __libc_malloc(size); }

void* calloc(std::size_t count, std::size_t size) {
  return HasNone() ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size) {
  if (size == 0 && memory) return __libc_realloc(memory, size);  // gives it back
  return HasNone() ? nullptr : __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  return HasNone() ? nullptr : __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  void* taken = memalign(alignment, size);
  if (!taken) return ENOMEM;
  *memory = taken;
  return 0;
}
}
