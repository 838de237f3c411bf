#include "tests/memory/within_ceiling.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <utility>

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::size_t InWholeMiB(std::size_t bytes) { return (bytes / kMiB + 2) * kMiB; }

// Returns, with the process, once it is weir or has ended: before, it is a copy of this one and
// holds as much.
int Begun(int process) {
  const fs::path exe = "/proc/" + std::to_string(process) + "/exe";
  std::error_code ended;
  while (fs::read_symlink(exe, ended) == fs::read_symlink("/proc/self/exe")) {
    std::this_thread::yield();
  }
  return process;
}

std::vector<std::string> WithMemory(std::vector<std::string> arguments, std::size_t bytes) {
  return Joined(std::move(arguments), {"--memory", std::to_string(bytes)});
}

ProcessSetup SetupIn(const HardCgroup& cgroup, std::vector<std::string> environment) {
  ProcessSetup setup = cgroup.Setup();
  setup.environment = std::move(environment);
  return setup;
}

}  // namespace

ProcessWithinCeiling::ProcessWithinCeiling(std::vector<std::string> arguments,
                                           std::size_t ceiling_bytes,
                                           std::vector<std::string> environment)
    : command_(arguments.front()),
      ceiling_bytes_(ceiling_bytes),
      cgroup_(ceiling_bytes + kCodeBytes),
      process_(WithMemory(std::move(arguments), ceiling_bytes),
               SetupIn(cgroup_, std::move(environment))),
      held_(Begun(process_.id())) {}

ProcessOutcome ProcessWithinCeiling::Wait() {
  ProcessOutcome outcome = process_.Wait();
  const std::string last_line = outcome.err.substr(0, outcome.err.find('\n'));
  EXPECT_EQ(cgroup_.kills(), 0U) << command_ << ": " << last_line;
  EXPECT_LE(held_.bytes(), ceiling_bytes_) << command_ << ": " << last_line;
  std::printf("%s in %zu MiB: status %d, %zu KiB held, %zu KiB charged at most: %.100s\n",
              command_.c_str(), ceiling_bytes_ / kMiB, outcome.status, held_.bytes() >> 10,
              cgroup_.peak_bytes() >> 10, last_line.c_str());
  return outcome;
}

ProcessOutcome WithinCeiling(std::vector<std::string> arguments, std::size_t ceiling_bytes,
                             const std::function<void(WeirProcess&)>& meanwhile) {
  ProcessWithinCeiling running(std::move(arguments), ceiling_bytes);
  if (meanwhile) meanwhile(running.process());
  return running.Wait();
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
