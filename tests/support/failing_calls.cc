// Calls to the system of which one fails, or all from one on: to be preloaded (failing_preload.h).
//
// WEIR_FAIL_CALL=K  which: mmap, thread, sync, rename, exchange (renameat2), read, write, open,
//                   truncate or close; without it none does
// WEIR_KILL_CALL=K  at the WEIR_KILL_AT-th of that kind the process is killed: before the call is
//                   made, but for a `close`, which is made first
//
// What fails has the errno that such a call usually fails with (below). Counted are
// calls from one library to another, of any thread: what glibc calls within itself is not among
// them, nor is what is written to the standard streams, where the words of the program go.
#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "tests/support/failing_preload.h"

namespace {

struct Kind {
  std::string_view name;
  std::atomic<unsigned long> calls{0};
};
Kind kinds[] = {{"mmap"}, {"thread"}, {"sync"}, {"rename"},   {"exchange"},
                {"read"}, {"write"},  {"open"}, {"truncate"}, {"close"}};

void WriteCounts(std::FILE* file) {
  for (const Kind& kind : kinds)
    std::fprintf(file, "%s %lu\n", kind.name.data(), kind.calls.load());
}

void KillAt(std::string_view name, unsigned long number) {
  static const char* const chosen = std::getenv("WEIR_KILL_CALL");
  static const char* const at = std::getenv("WEIR_KILL_AT");
  if (chosen && at && name == chosen && number == std::strtoul(at, nullptr, 10)) {
    std::raise(SIGKILL);
  }
}

// Whether this call of that kind fails; errno then says why.
bool Fails(std::string_view name, int reason) {
  static const char* const chosen = std::getenv("WEIR_FAIL_CALL");
  if (!Counts()) return false;
  const auto kind = std::find_if(std::begin(kinds), std::end(kinds),
                                 [name](const Kind& each) { return each.name == name; });
  const unsigned long number = ++kind->calls;
  KillAt(name, number);
  if (!chosen || name != chosen || !Fails(number)) return false;
  errno = reason;
  return true;
}

bool IsStandardStream(int file) { return file <= STDERR_FILENO; }

// The function of that name behind this one.
template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

mode_t ModeOf(int flags, va_list arguments) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

#define WEIR_FORWARD(result, name, parameters, arguments, condition, kind, reason, failure) \
  result name parameters {                                                                  \
    static auto* const next = Next<result parameters>(#name);                               \
    if ((condition) && Fails(kind, reason)) return failure;                                 \
    return next arguments;                                                                  \
  }

WEIR_FORWARD(void*, mmap,
             (void* at, std::size_t bytes, int protection, int flags, int file, off_t offset),
             (at, bytes, protection, flags, file, offset), true, "mmap", ENOMEM, MAP_FAILED)
WEIR_FORWARD(void*, mmap64,
             (void* at, std::size_t bytes, int protection, int flags, int file, off64_t offset),
             (at, bytes, protection, flags, file, offset), true, "mmap", ENOMEM, MAP_FAILED)
WEIR_FORWARD(int, fsync, (int file), (file), true, "sync", EIO, -1)
WEIR_FORWARD(int, fdatasync, (int file), (file), true, "sync", EIO, -1)
WEIR_FORWARD(int, rename, (const char* from, const char* to), (from, to), true, "rename", EIO, -1)
WEIR_FORWARD(int, renameat2,
             (int from_folder, const char* from, int to_folder, const char* to, unsigned flags),
             (from_folder, from, to_folder, to, flags), true, "exchange", EINVAL, -1)
WEIR_FORWARD(ssize_t, read, (int file, void* to, std::size_t bytes), (file, to, bytes), true,
             "read", EIO, -1)
WEIR_FORWARD(ssize_t, pread, (int file, void* to, std::size_t bytes, off_t offset),
             (file, to, bytes, offset), true, "read", EIO, -1)
WEIR_FORWARD(ssize_t, pread64, (int file, void* to, std::size_t bytes, off64_t offset),
             (file, to, bytes, offset), true, "read", EIO, -1)
WEIR_FORWARD(ssize_t, write, (int file, const void* from, std::size_t bytes), (file, from, bytes),
             !IsStandardStream(file), "write", ENOSPC, -1)
WEIR_FORWARD(ssize_t, writev, (int file, const iovec* parts, int count), (file, parts, count),
             !IsStandardStream(file), "write", ENOSPC, -1)
WEIR_FORWARD(ssize_t, pwrite, (int file, const void* from, std::size_t bytes, off_t offset),
             (file, from, bytes, offset), true, "write", ENOSPC, -1)
WEIR_FORWARD(ssize_t, pwrite64, (int file, const void* from, std::size_t bytes, off64_t offset),
             (file, from, bytes, offset), true, "write", ENOSPC, -1)
WEIR_FORWARD(int, ftruncate, (int file, off_t bytes), (file, bytes), true, "truncate", ENOSPC, -1)
WEIR_FORWARD(int, ftruncate64, (int file, off64_t bytes), (file, bytes), true, "truncate", ENOSPC,
             -1)
WEIR_FORWARD(std::FILE*, fopen, (const char* path, const char* mode), (path, mode), true, "open",
             EMFILE, nullptr)
WEIR_FORWARD(std::FILE*, fopen64, (const char* path, const char* mode), (path, mode), true, "open",
             EMFILE, nullptr)
WEIR_FORWARD(DIR*, opendir, (const char* path), (path), true, "open", EMFILE, nullptr)
// These two give the reason and leave errno alone.
WEIR_FORWARD(int, posix_fallocate, (int file, off_t offset, off_t bytes), (file, offset, bytes),
             true, "truncate", ENOSPC, ENOSPC)
WEIR_FORWARD(int, pthread_create,
             (pthread_t * thread, const pthread_attr_t* attributes, void* (*work)(void*), void* of),
             (thread, attributes, work, of), true, "thread", EAGAIN, EAGAIN)

// The descriptor is free all the same, as on Linux.
int close(int file) {
  static auto* const next = Next<int(int)>("close");
  const int result = next(file);
  return !IsStandardStream(file) && Fails("close", EIO) ? -1 : result;
}

#define WEIR_FORWARD_OPEN(name)                                        \
  int name(const char* path, int flags, ...) {                         \
    static auto* const next = Next<int(const char*, int, ...)>(#name); \
    va_list arguments;                                                 \
    va_start(arguments, flags);                                        \
    const mode_t mode = ModeOf(flags, arguments);                      \
    va_end(arguments);                                                 \
    return Fails("open", EMFILE) ? -1 : next(path, flags, mode);       \
  }
WEIR_FORWARD_OPEN(open)
WEIR_FORWARD_OPEN(open64)

#define WEIR_FORWARD_OPENAT(name)                                           \
  int name(int folder, const char* path, int flags, ...) {                  \
    static auto* const next = Next<int(int, const char*, int, ...)>(#name); \
    va_list arguments;                                                      \
    va_start(arguments, flags);                                             \
    const mode_t mode = ModeOf(flags, arguments);                           \
    va_end(arguments);                                                      \
    return Fails("open", EMFILE) ? -1 : next(folder, path, flags, mode);    \
  }
WEIR_FORWARD_OPENAT(openat)
WEIR_FORWARD_OPENAT(openat64)
}
