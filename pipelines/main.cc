// The command line: what can be typed, and what the exit status says.
#include <malloc.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/memory/out_of_memory.h"
#include "pipelines/command_line.h"
#include "pipelines/commands/commands.h"
#include "pipelines/foreign_command_line.h"
#include "pipelines/job/signals.h"
#include "pipelines/recipe/stage_table.h"
#include "pipelines/record/ending.h"

namespace {

// Large pictures go back to the system when they are freed, and do not stay in holes of the heap,
// where the plan does not see them. Called while there is one thread.
// NOLINTBEGIN(concurrency-mt-unsafe)
void LimitHeapSlack() {
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  // A heap for each thread takes 64 MiB of addresses, which nobody minds unless they are counted.
  rlimit addresses{};
  if (getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY) {
    mallopt(M_ARENA_MAX, 1);
  }
}
// NOLINTEND(concurrency-mt-unsafe)

// What did not reach a full disk is found out at the latest here.
void FlushOutput() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    throw weir::Error(weir::ErrorKind::kData, "cannot write all of the output",
                      "See whether the disk that it goes to is full, or its reader has ended.");
  }
}

// What to do about a failure that nobody foresaw.
constexpr const char* kInternalRemedy =
    "Where it had memory enough (`ulimit -v`, `ulimit -d`), this is a fault: please report it to "
    "whoever wrote that part.";

// Before the libraries begin, as some take memory then.
using Initializer = void (*)(int, char**, char**);
[[gnu::used, gnu::section(".preinit_array")]] const Initializer kBeforeLibraries =
    [](int, char**, char**) { weir::ExitInWordsWhereNoneCatches(); };

int Fail(const weir::Error& error) {
  std::string remedy = error.remedy();
  if (remedy.empty() && error.kind() == weir::ErrorKind::kInternal) remedy = kInternalRemedy;
  std::fprintf(stderr, "weir: %s\n", error.what());
  if (!remedy.empty()) std::fprintf(stderr, "  %s\n", remedy.c_str());
  return error.exit_status();
}

// Says what the words of another program are here.
int Refuse(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::fprintf(stderr, "weir: %s\n", line.c_str());
  return static_cast<int>(weir::ErrorKind::kConfig);
}

}  // namespace

int main(int argc, char** argv) {
  LimitHeapSlack();
  weir::CatchSignals();
  try {
    const char* plugins = std::getenv("WEIR_PLUGIN_PATH");  // NOLINT(concurrency-mt-unsafe)
    weir::StageTable stages(plugins);
    CLI::App app;
    weir::DeclareCommands(app, stages);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      const std::vector<std::string> advice =
          error.get_exit_code() == 0
              ? std::vector<std::string>()
              : weir::AdviceOnCommandLine(app, {argv + std::min(argc, 1), argv + argc});
      if (!advice.empty()) return Refuse(advice);
      const int status = app.exit(error);
      return status == 0 ? 0 : static_cast<int>(weir::ErrorKind::kConfig);
    }
    FlushOutput();
    return 0;
  } catch (const std::bad_alloc&) {
    weir::ExitOutOfMemory();
  } catch (const std::exception& error) {
    return Fail(weir::AsError(error));
  }
}
