#include "pipelines/record/ending.h"

#include <cerrno>
#include <filesystem>
#include <new>

#include "framework/thread_error.h"

namespace weir {

Error AsError(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const Error*>(&error)) return *ours;
  if (dynamic_cast<const std::bad_alloc*>(&error)) {
    return {ErrorKind::kMemory, "the system has no more memory",
            "Lower memory.host, or free memory on this machine."};
  }
  if (dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    return {ErrorKind::kData, error.what(), "See what is wrong with that place."};
  }
  if (IsThreadError(error)) return ThreadError("a thread", EAGAIN);
  return {ErrorKind::kInternal, error.what()};
}

std::string EndingOf(const std::exception& error) {
  const Error known = AsError(error);
  if (known.kind() == ErrorKind::kInterrupted) return "interrupted";
  return std::string("failed: ") + known.what();
}

}  // namespace weir
