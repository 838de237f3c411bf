#include "tests/memory/failed_run.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

constexpr unsigned kMostSeconds = 20;

}  // namespace

FailedRun RunFailing(const std::vector<std::string>& arguments, const Failing& failing) {
  const ScratchFolder scratch;
  const std::filesystem::path count = scratch / "count", stack = scratch / "stack";
  ProcessSetup setup;
  setup.environment = {"WEIR_COUNT_FILE=" + count.string(), "WEIR_STACK_FILE=" + stack.string()};
  if (failing.kind == kMemoryKind) {
    setup.environment.push_back("LD_PRELOAD=" WEIR_FAILING_MALLOC);
  } else {
    setup.environment.push_back("LD_PRELOAD=" WEIR_FAILING_CALLS);
    if (!failing.kind.empty()) setup.environment.push_back("WEIR_FAIL_CALL=" + failing.kind);
  }
  if (failing.at > 0) setup.environment.push_back("WEIR_FAIL_AT=" + std::to_string(failing.at));
  if (!failing.kill_kind.empty()) {
    setup.environment.push_back("WEIR_KILL_CALL=" + failing.kill_kind);
    setup.environment.push_back("WEIR_KILL_AT=" + std::to_string(failing.kill_at));
  }
  if (failing.is_forever) setup.environment.push_back("WEIR_FAIL_FOREVER=1");
  setup.in_child = [] { alarm(kMostSeconds); };  // the alarm outlives exec
  FailedRun run;
  run.outcome = Weir(arguments, setup);
  std::istringstream counts(FileText(count));
  std::string kind;
  for (unsigned long requests = 0; counts >> kind >> requests;) run.requests[kind] = requests;
  const std::string stacks = FileText(stack);  // "request\n...\nsignal\n...\n"
  const std::size_t signal = stacks.find("signal\n");
  run.request_stack = stacks.substr(0, signal);
  if (signal != std::string::npos) run.signal_stack = stacks.substr(signal);
  return run;
}

std::string Place(const std::string& stack) {
  std::istringstream lines(stack);
  for (std::string line; std::getline(lines, line);) {
    // "/lib/libc.so.6(malloc+0x9)[0x7f97]"; glibc 2.41 has a blank before the address.
    const std::size_t address = std::min(line.find(")["), line.find(") ["));
    if (address == std::string::npos) continue;
    const std::string_view path = std::string_view(line).substr(0, line.find('('));
    const std::string frame = line.substr(path.rfind('/') + 1, address - path.rfind('/'));
    bool is_common = false;
    for (const char* library :
         {"libfailing_malloc.", "libfailing_calls.", "libc.", "libstdc++.", "libgcc_s."}) {
      is_common |= frame.starts_with(library);
    }
    if (!is_common) return frame;
  }
  return "nowhere";
}

}  // namespace weir
