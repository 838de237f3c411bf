#include "stages/train/metrics/class_tally.h"

namespace weir {
namespace {

std::optional<double> Part(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

template <class Weight>
MeanScores Mean(std::span<const ClassTally> tallies, Weight weight_of) {
  MeanScores mean;
  double weights = 0;
  for (const ClassTally& tally : tallies) {
    const double weight = weight_of(tally);
    mean.precision += weight * PrecisionOf(tally).value_or(0);
    mean.recall += weight * RecallOf(tally).value_or(0);
    mean.f1 += weight * F1Of(tally).value_or(0);
    weights += weight;
  }
  return {mean.precision / weights, mean.recall / weights, mean.f1 / weights};
}

}  // namespace

std::optional<double> PrecisionOf(const ClassTally& tally) { return Part(tally.hits, tally.taken); }
std::optional<double> RecallOf(const ClassTally& tally) { return Part(tally.hits, tally.pictures); }
std::optional<double> F1Of(const ClassTally& tally) {
  return Part(2 * tally.hits, tally.taken + tally.pictures);
}

MeanScores MacroScores(std::span<const ClassTally> tallies) {
  return Mean(tallies, [](const ClassTally&) { return 1.0; });
}

MeanScores WeightedScores(std::span<const ClassTally> tallies) {
  return Mean(tallies, [](const ClassTally& tally) { return static_cast<double>(tally.pictures); });
}

}  // namespace weir
