#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <string>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "pipelines/commands/commands.h"
#include "pipelines/record/memory_log.h"
#include "pipelines/record/process_begin.h"
#include "pipelines/record/run_folder.h"

namespace weir {
namespace {

std::string Size(std::size_t bytes) { return ToRoundText(ByteSize{bytes}); }

std::string TimeText(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::array<char, 32> text{};
  std::tm local{};
  if (localtime_r(&time, &local) == nullptr) return "an unknown time";
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

// A run that goes on holds its folder's lock. Where the file system has no locks the process is
// looked for.
bool IsRunning(const MemorySnapshot& last, const RunFolder& folder) {
  if (last.state != "running") return false;
  if (const auto is_held = FolderLock::IsHeld(folder.path())) return *is_held;
  const auto begin = ProcessBegin(last.process);
  return begin && *begin == last.process_begin;
}

// Whether so little was left of `whole` that what comes next may not have fitted.
bool IsScarce(std::size_t left, std::size_t whole) { return left < whole / 10; }

void PrintHoldings(const MemorySnapshot& last) {
  std::size_t width = 10;
  for (const auto& each : last.holdings) width = std::max(width, each.stage.size());
  const auto print = [width](const std::string& stage, const std::string& what,
                             const std::string& planned, const std::string& then,
                             const std::string& most) {
    std::printf("  %-*s %-30s %9s %9s %9s\n", static_cast<int>(width), stage.c_str(), what.c_str(),
                planned.c_str(), then.c_str(), most.c_str());
  };
  print("stage", "holds", "planned", "then", "at most");
  for (const auto& each : last.holdings) {
    print(each.stage, each.what, Size(each.planned_bytes), Size(each.bytes), Size(each.peak_bytes));
  }
  print("", "held in all", Size(last.limit_bytes), Size(last.held_bytes),
        Size(last.peak_held_bytes));
  if (last.device) {
    print("", "on " + last.device->name, Size(last.device->limit_bytes), Size(last.device->bytes),
          Size(last.device->peak_bytes));
  }
  std::printf("\n");
}

void PrintWhatHappened(const MemorySnapshot& last, const RunFolder& folder) {
  const std::string go_on = "Go on with `weir run CONFIG --resume --out " + folder.path().string() +
                            "`: at most one save interval is lost.\n";
  if (last.held_bytes > last.limit_bytes) {
    std::printf("It held more than its ceiling: that is a fault of weir's. Please report it.\n");
  }
  if (last.container && IsScarce(last.container->room_bytes(), last.container->limit_bytes)) {
    const std::size_t others =
        last.container->held_bytes - std::min(last.container->held_bytes, last.held_bytes);
    std::printf(
        "The container was full: %s of %s were held (%s), %s of them not by this run. The system "
        "kills then.\nRaise that limit, or lower memory.host below %s.\n",
        Size(last.container->held_bytes).c_str(), Size(last.container->limit_bytes).c_str(),
        last.container->file.c_str(), Size(others).c_str(), Size(last.limit_bytes).c_str());
  } else if (IsScarce(last.available_bytes, last.available_bytes + last.held_bytes)) {
    std::printf(
        "The machine had %s left. The system kills then.\nFree memory on it, or lower memory.host "
        "below %s.\n",
        Size(last.available_bytes).c_str(), Size(last.limit_bytes).c_str());
  } else {
    std::printf(
        "Memory was not scarce then: somebody killed it, the machine stopped, or memory ran out "
        "within a tenth of a second.\n");
  }
  std::error_code unknown;
  if (std::filesystem::exists(folder.checkpoint(), unknown)) {
    std::fputs(go_on.c_str(), stdout);
  } else {
    std::printf("There is no checkpoint yet: begin anew.\n");
  }
}

}  // namespace

void ExplainCommand(const std::filesystem::path& run) {
  const RunFolder folder = RunFolder::At(run);
  const MemorySnapshot last = MemoryLog::Read(folder.memory_log());
  const std::string when = last.doing + ", " + std::to_string(last.images_done) + " of " +
                           std::to_string(last.images) + " pictures";
  if (IsRunning(last, folder)) {
    std::printf("%s is running: %s (process %d)\n\n", run.c_str(), when.c_str(), last.process);
    PrintHoldings(last);
    return;
  }
  if (last.state != "running") {
    std::printf("%s ended at %s: %s\n\n", run.c_str(), TimeText(last.time).c_str(),
                last.state.c_str());
    PrintHoldings(last);
    return;
  }
  std::printf("%s was killed: the last sign of it is of %s, in %s\n\n", run.c_str(),
              TimeText(last.time).c_str(), when.c_str());
  PrintHoldings(last);
  if (!last.squeezed.empty()) {
    std::printf("Memory had been scarce before: %s.\n", last.squeezed.c_str());
  }
  PrintWhatHappened(last, folder);
}

}  // namespace weir
