// How often a class was there, was predicted, and both: what precision, recall and F1 are made of.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace weir {

struct ClassTally {
  std::uint64_t pictures = 0;  // pictures of this class
  std::uint64_t taken = 0;     // pictures that were taken for it
  std::uint64_t hits = 0;      // both at once
};

// Counts pictures of the class `label` that were taken for `predicted`; `tallies` is [classes].
inline void AddPictures(std::span<ClassTally> tallies, int label, int predicted,
                        std::uint64_t pictures = 1) {
  tallies[label].pictures += pictures;
  tallies[predicted].taken += pictures;
  if (label == predicted) tallies[label].hits += pictures;
}

// The part that is of the class among the pictures that were taken for it; empty without any.
std::optional<double> PrecisionOf(const ClassTally& tally);
// The part that was found among the pictures of the class; empty where there are none.
std::optional<double> RecallOf(const ClassTally& tally);
// The harmonic mean of both, 2 hits / (taken + pictures); empty where there is neither.
std::optional<double> F1Of(const ClassTally& tally);

// Each of the three over the classes. What is empty above counts as 0: scikit-learn's
// precision_recall_fscore_support(labels=all classes, zero_division=0).
struct MeanScores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};
// `tallies` is [classes], one class at least. The mean in which every class counts the same, one
// without pictures too.
MeanScores MacroScores(std::span<const ClassTally> tallies);
// The mean in which every class counts by its pictures, of which there is one at least.
MeanScores WeightedScores(std::span<const ClassTally> tallies);

}  // namespace weir
