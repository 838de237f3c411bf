// What libraries to be preloaded have in common that make a program's requests fail: they count
// them from `main` on, and fail the one that the environment names.
//
//   LD_PRELOAD=libfailing_malloc.so WEIR_FAIL_AT=1200 weir run ...
//
// WEIR_FAIL_AT=N       the N-th request since `main` began fails; without it none does
// WEIR_FAIL_FOREVER=1  and so do all after it
// WEIR_COUNT_FILE=F    at the exit, F holds how many requests there were of each kind: "KIND N"
// WEIR_STACK_FILE=F    F gets the stack of the first request that failed, and that of the signal
//                      which ended the process where one did: "MODULE(SYMBOL+OFFSET)[ADDRESS]"
//
// For one source file of each such library, which defines WriteCounts: this header defines what
// starts the program. For glibc.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

std::atomic<bool> counts{false};
unsigned long fail_at = 0;
bool fails_forever = false;
const char* count_file = nullptr;
int stack_file = -1;
int (*real_main)(int, char**, char**) = nullptr;

void WriteStack(const char* title) {
  void* frames[64];
  // Not by write(), which may be what fails.
  syscall(SYS_write, stack_file, title, std::strlen(title));
  backtrace_symbols_fd(frames, backtrace(frames, 64), stack_file);
  syscall(SYS_write, stack_file, "\n", 1);
}

// A line for each kind: "KIND N".
void WriteCounts(std::FILE* file);

bool Counts() { return counts.load(std::memory_order_relaxed); }

// Whether the request of that number is one that fails.
bool Fails(unsigned long number) {
  if (fail_at == 0 || number < fail_at || (number > fail_at && !fails_forever)) return false;
  if (number == fail_at && stack_file >= 0) WriteStack("request\n");
  return true;
}

void WriteCountFile() {
  counts = false;
  if (std::FILE* file = std::fopen(count_file, "w")) {
    WriteCounts(file);
    std::fclose(file);
  }
}

void EndBySignal(int signal) {  // the default way by now
  WriteStack("signal\n");
  std::raise(signal);
}

// On a stack of its own, in the main thread, so that one that has overflowed is seen too.
void CatchEndingSignals() {
  static char memory[1 << 16];
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = sizeof memory;
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = EndBySignal;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND | SA_NODEFER);
  for (const int signal : {SIGABRT, SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM}) {
    sigaction(signal, &action, nullptr);
  }
}

int CountedMain(int argc, char** argv, char** environment) {
  if (const char* number = std::getenv("WEIR_FAIL_AT")) {
    fail_at = std::strtoul(number, nullptr, 10);
  }
  fails_forever = std::getenv("WEIR_FAIL_FOREVER") != nullptr;
  count_file = std::getenv("WEIR_COUNT_FILE");
  if (count_file) std::atexit(WriteCountFile);
  if (const char* path = std::getenv("WEIR_STACK_FILE")) {
    void* frame = nullptr;
    backtrace(&frame, 1);  // loads what it needs, which takes memory once
    stack_file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    CatchEndingSignals();
  }
  counts = true;
  return real_main(argc, argv, environment);
}

}  // namespace

extern "C" {

// What starts a program: with the main that counts in place of its own.
int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(),
                      void (*fini)(), void (*loader_fini)(), void* stack_end) {
  const auto start =
      reinterpret_cast<decltype(&__libc_start_main)>(dlsym(RTLD_NEXT, "__libc_start_main"));
  real_main = main;
  return start(CountedMain, argc, argv, init, fini, loader_fini, stack_end);
}
}
