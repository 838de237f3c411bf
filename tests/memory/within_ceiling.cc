#include "tests/memory/within_ceiling.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>

#include "tests/memory/held_peak.h"
#include "tests/support/hard_cgroup.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::size_t InWholeMiB(std::size_t bytes) { return (bytes / kMiB + 2) * kMiB; }

// Returns once the process is weir or has ended: before, it is a copy of this one and holds as
// much.
void AwaitItsBeginning(int process) {
  const fs::path exe = "/proc/" + std::to_string(process) + "/exe";
  std::error_code ended;
  while (fs::read_symlink(exe, ended) == fs::read_symlink("/proc/self/exe")) {
    std::this_thread::yield();
  }
}

}  // namespace

ProcessOutcome WithinCeiling(std::vector<std::string> arguments, std::size_t ceiling_bytes,
                             const std::function<void(WeirProcess&)>& meanwhile) {
  arguments.insert(arguments.end(), {"--memory", std::to_string(ceiling_bytes)});
  const HardCgroup cgroup(ceiling_bytes + kCodeBytes);
  WeirProcess process(arguments, cgroup.Setup());
  AwaitItsBeginning(process.id());
  const HeldPeak held(process.id());
  if (meanwhile) meanwhile(process);
  ProcessOutcome outcome = process.Wait();
  const std::string last_line = outcome.err.substr(0, outcome.err.find('\n'));
  EXPECT_EQ(cgroup.kills(), 0U) << arguments[0] << ": " << last_line;
  EXPECT_LE(held.bytes(), ceiling_bytes) << arguments[0] << ": " << last_line;
  std::printf("%s in %zu MiB: status %d, %zu KiB held, %zu KiB charged at most: %.100s\n",
              arguments[0].c_str(), ceiling_bytes / kMiB, outcome.status, held.bytes() >> 10,
              cgroup.peak_bytes() >> 10, last_line.c_str());
  return outcome;
}

SmallestCeilings SmallestCeilingsOf(const std::string& job) {
  const ProcessOutcome outcome = Weir({"plan", job, "--json", "--memory", "8GiB"});
  if (outcome.status != 0) return {};
  const nlohmann::json plan = nlohmann::json::parse(outcome.out);
  const std::size_t prediction =
      plan.contains("prediction") ? plan["prediction"]["smallest_bytes"].get<std::size_t>() : 0;
  return {InWholeMiB(plan["smallest_bytes"]), InWholeMiB(prediction)};
}

}  // namespace weir
