// The predictions of one pass, kept for what is a function of all of them.
//
// Memory, fixed before the pass begins: 12 bytes a picture, 28 a class; for metrics that need the
// rankings 4 a picture and class and 8 a picture; to resample (bootstrap.h) 4 a picture and number.
//
// One thread at a time; a PredictionView may be read by any while the Predictions are left alone.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stages/payloads.h"
#include "stages/train/metrics/class_tally.h"

namespace weir {

// What a picture was taken for.
struct Prediction {
  std::int32_t label = 0;
  std::int32_t predicted = 0;  // the first of the most probable classes
  float confidence = 0;        // its probability
};

// A picture's place among those of a pass by the probability of one class.
struct Ranked {
  std::uint32_t picture : 31;
  std::uint32_t is_tied : 1;  // its probability is that of the one before it
};
static_assert(sizeof(Ranked) == sizeof(std::uint32_t));

// What a metric is computed from: the pictures of a pass, each counted so many times.
struct PredictionView {
  std::span<const Prediction> all;
  std::span<const std::uint32_t> times;  // one a picture; empty: each once
  std::span<const ClassTally> tallies;   // [classes], counted so many times
  // [classes that are ranked, pictures]: of two classes the second alone, else all of them. Each
  // row has the pictures from the most probable down, those of equal probability in their order.
  std::span<const Ranked> rankings;

  int classes() const { return static_cast<int>(tallies.size()); }
  std::uint64_t TimesOf(std::size_t picture) const { return times.empty() ? 1 : times[picture]; }
};

// How many of a class and of the others have one probability.
struct RankedGroup {
  std::uint64_t of_class = 0;
  std::uint64_t others = 0;
};

// Calls visit(label, groups) for each class that is ranked, of which there are both pictures and
// others; groups(visit_group) calls visit_group(RankedGroup) from the most probable down.
template <class Visit>
void ForEachRanking(const PredictionView& view, Visit visit) {
  const std::size_t pictures = view.all.size();
  const int first = view.classes() == 2 ? 1 : 0;
  std::uint64_t counted = 0;
  for (const ClassTally& tally : view.tallies) counted += tally.pictures;
  for (int label = first; label < view.classes(); ++label) {
    const std::uint64_t of_class = view.tallies[label].pictures;
    if (of_class == 0 || of_class == counted) continue;
    const auto row = view.rankings.subspan((label - first) * pictures, pictures);
    visit(label, [&view, row, label](auto visit_group) {
      RankedGroup group;
      for (const Ranked& ranked : row) {
        if (!ranked.is_tied) {
          visit_group(group);
          group = {};
        }
        const std::uint64_t times = view.TimesOf(ranked.picture);
        (view.all[ranked.picture].label == label ? group.of_class : group.others) += times;
      }
      visit_group(group);
    });
  }
}

class Predictions {
 public:
  struct Options {
    int classes = 0;
    std::uint64_t pictures = 0;  // at most; 0: nothing is kept
    bool has_rankings = false;
    int numbers = 0;  // of each picture, to be resampled
  };

  Predictions() = default;
  // Throws Error(kConfig) where there are more pictures than can be ranked.
  explicit Predictions(const Options& options);

  std::size_t bytes() const;  // what it holds from Open() on

  void Open();
  // Forgets what is there.
  void Begin();
  // `logits` is [classes], the label is below `classes`, `numbers` is [options.numbers]. Throws
  // std::length_error above the declared pictures.
  void Add(int label, std::span<const float> logits, std::span<const float> numbers);
  // When all are there: counts and ranks them. Nothing may be added behind it.
  void Finish();

  // All pictures once; after Finish().
  PredictionView view() const;
  // The number of that index of each picture: [pictures].
  std::span<const float> numbers(int index) const;

 private:
  int ranked_classes() const {
    return !options_.has_rankings ? 0 : options_.classes == 2 ? 1 : options_.classes;
  }
  void Rank(std::span<Ranked> row);

  Options options_;
  std::vector<Prediction> all_;
  std::vector<ClassTally> tallies_;
  std::vector<float> probabilities_;  // [classes], of the picture that is added
  std::vector<Ranked> rankings_;      // [ranked classes, pictures]; until Finish the bits of floats
  std::vector<std::uint64_t> sorting_;  // [pictures] of one class: probability and picture
  std::vector<float> numbers_;          // [numbers, pictures]
};

}  // namespace weir
