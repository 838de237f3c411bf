#include "framework/thread_error.h"

#include <unistd.h>

#include <string_view>
#include <system_error>

namespace weir {
namespace {

constexpr char kRemedy[] =
    "Lower `threads`, or raise the limit on processes (`ulimit -u`, a container's limit on pids) "
    "or on addresses (`ulimit -v`).";

void Say(std::string_view text) {
  static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
}

}  // namespace

Error ThreadError(const std::string& which, int error) {
  return {ErrorKind::kMemory, which + " cannot be made: " + std::generic_category().message(error),
          kRemedy};
}

void ExitWithoutThreads() noexcept {
  Say("weir: a thread cannot be made\n  ");
  Say(kRemedy);
  Say("\n");
  ::_exit(static_cast<int>(ErrorKind::kMemory));
}

bool IsThreadError(const std::exception& error) noexcept {
  if (const auto* system = dynamic_cast<const std::system_error*>(&error)) {
    return system->code() == std::errc::resource_unavailable_try_again;
  }
  return std::string_view(error.what()).starts_with("pthread_create has failed");
}

}  // namespace weir
