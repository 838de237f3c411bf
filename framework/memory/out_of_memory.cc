#include "framework/memory/out_of_memory.h"

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>

#include "framework/error.h"
#include "framework/thread_error.h"

namespace weir {
namespace {

std::terminate_handler previous = nullptr;

void OnTerminate() {
  try {
    if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    ExitOutOfMemory();
  } catch (const std::exception& error) {
    if (IsThreadError(error)) ExitWithoutThreads();
  } catch (...) {
  }
  previous();
  std::abort();
}

}  // namespace

void ExitOutOfMemory() noexcept {
  static constexpr char kText[] =
      "weir: the system has no more memory\n"
      "  Lower memory.host, or free memory on this machine.\n";
  if (::write(STDERR_FILENO, kText, sizeof kText - 1) < 0) {
  }
  ::_exit(static_cast<int>(ErrorKind::kMemory));
}

void ExitInWordsWhereNoneCatches() { previous = std::set_terminate(OnTerminate); }

}  // namespace weir
