#include "tests/memory/failure_trial.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>
#include <system_error>

#include "tests/memory/excuse.h"
#include "tests/memory/failure_offence.h"

namespace weir {
namespace {

// The trials that are alike.
struct Cluster {
  int count = 0;
  std::string first;
};

std::string Text(const FailedRun& run, const std::string& title) {
  return title + ", status " + std::to_string(run.outcome.status) + ": " + run.outcome.err + "\n" +
         run.request_stack + run.signal_stack;
}

}  // namespace

std::vector<unsigned long> FailureTrial::Chosen(unsigned long requests, int count) {
  std::vector<unsigned long> chosen;
  if (const char* stride = std::getenv("WEIR_FAIL_STRIDE")) {
    const unsigned long step = std::max(1UL, std::strtoul(stride, nullptr, 10));
    for (unsigned long at = 1; at <= requests; at += step) chosen.push_back(at);
    return chosen;
  }
  for (int i = 0; i < count; ++i) {
    const double part = (i + 1.0) / (count + 1.0);
    chosen.push_back(std::lround(std::pow(static_cast<double>(requests), part)));
  }
  return chosen;
}

void FailureTrial::TryAll(const TriedCommand& command, const std::string& kind,
                          const std::vector<unsigned long>& chosen, bool is_forever) {
  const WholeRun& whole = FindWholeRun(command, kind == kMemoryKind);
  std::map<std::string, Cluster> clusters;  // by what is wrong and where
  std::map<std::string_view, int> excused;  // by the reason
  std::map<int, int> statuses;
  const std::filesystem::path out = TrialFolder();
  const std::string title = command.name + " " + kind + (is_forever ? " from N on" : " N alone");
  for (const unsigned long at : chosen) {
    command.Prepare(out);
    const FailedRun run =
        RunFailing(command.ArgumentsFor(out), {.kind = kind, .at = at, .is_forever = is_forever});
    ++statuses[run.outcome.status];
    if (const Excuse* excuse = ExcuseFor(run)) ++excused[excuse->why];
    const std::string offence = OffenceOf(command, kind, run, whole, out);
    std::error_code ignored;
    std::filesystem::remove_all(out, ignored);
    if (offence.empty()) continue;
    const std::string place = run.signal_stack.empty() ? "" : " in " + Place(run.signal_stack);
    Cluster& cluster = clusters[offence + place];
    if (cluster.count++ == 0) cluster.first = Text(run, title + ", N = " + std::to_string(at));
  }
  std::printf("%-30s %6zu trials", title.c_str(), chosen.size());
  for (const auto& [status, count] : statuses) std::printf("  %d: %d", status, count);
  std::printf("\n");
  for (const auto& [why, count] : excused) {
    std::printf("  %d times ended by a signal: %s\n", count, why.data());
  }
  for (const auto& [what, cluster] : clusters) {
    ADD_FAILURE() << cluster.count << " times " << what << ", first with " << cluster.first;
  }
  std::fflush(stdout);  // the table of a long trial grows in a file as well
}

}  // namespace weir
