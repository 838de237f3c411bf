#include "pipelines/report/bottleneck.h"

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

std::string Percent(double share) { return std::to_string(std::lround(share * 100)) + " %"; }

}  // namespace

std::vector<std::pair<std::string, double>> SharesOfTime(
    const std::vector<Pipeline::Figures>& figures, double seconds, int workers) {
  std::vector<std::pair<std::string, double>> shares;
  if (seconds <= 0) return shares;
  double idle = 1;
  for (const Pipeline::Figures& stage : figures) {
    shares.emplace_back(stage.stage, stage.figures.busy_seconds / (seconds * workers));
    idle -= shares.back().second;
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  shares.emplace_back("idle", std::max(0.0, idle));
  return shares;
}

std::string BottleneckText(const std::vector<std::pair<std::string, double>>& shares, int workers) {
  if (shares.size() < 2) return "";
  std::string rest;
  for (auto share = shares.begin() + 1; share != shares.end(); ++share) {
    if (share->second < 0.005) continue;
    rest += (rest.empty() ? "" : ", ") + share->first + " " + Percent(share->second);
  }
  return "bottleneck: " + shares.front().first + ", " + Percent(shares.front().second) +
         (workers == 1 ? " of the time of 1 thread"
                       : " of the time of " + std::to_string(workers) + " threads") +
         (rest.empty() ? "" : " (" + rest + ")");
}

}  // namespace weir
