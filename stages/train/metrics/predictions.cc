#include "stages/train/metrics/predictions.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>

#include "framework/error.h"
#include "stages/train/losses/softmax.h"
#include "stages/train/metrics/accuracy.h"

namespace weir {
namespace {

constexpr std::uint64_t kMostRanked = std::uint64_t{1} << 31;

}  // namespace

Predictions::Predictions(const Options& options) : options_(options) {
  if (options.has_rankings && options.pictures > kMostRanked) {
    throw Error(ErrorKind::kConfig,
                "training.metrics: roc_auc and average_precision rank " +
                    std::to_string(kMostRanked) + " pictures at most, not " +
                    std::to_string(options.pictures),
                "Leave them out.");
  }
}

std::size_t Predictions::bytes() const {
  if (options_.pictures == 0) return 0;
  const std::size_t of_picture = sizeof(Prediction) + options_.numbers * sizeof(float) +
                                 ranked_classes() * sizeof(Ranked) +
                                 (options_.has_rankings ? sizeof(std::uint64_t) : 0);
  return options_.pictures * of_picture + options_.classes * (sizeof(ClassTally) + sizeof(float));
}

void Predictions::Open() {
  if (options_.pictures == 0) return;
  all_.reserve(options_.pictures);
  tallies_.resize(options_.classes);
  probabilities_.resize(options_.classes);
  rankings_.resize(ranked_classes() * options_.pictures);
  if (options_.has_rankings) sorting_.resize(options_.pictures);
  numbers_.resize(options_.numbers * options_.pictures);
}

void Predictions::Begin() { all_.clear(); }

void Predictions::Add(int label, std::span<const float> logits, std::span<const float> numbers) {
  if (all_.size() == options_.pictures) {
    throw std::length_error("more pictures than were declared");
  }
  Softmax(logits, probabilities_);
  const std::size_t picture = all_.size();
  const int predicted = Largest(logits);
  all_.push_back({label, predicted, probabilities_[predicted]});
  const std::size_t first = options_.classes - ranked_classes();
  for (int i = 0; i < ranked_classes(); ++i) {
    rankings_[i * options_.pictures + picture] = std::bit_cast<Ranked>(probabilities_[first + i]);
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers_[i * options_.pictures + picture] = numbers[i];
  }
}

void Predictions::Finish() {
  std::fill(tallies_.begin(), tallies_.end(), ClassTally());
  for (const Prediction& each : all_) AddPictures(tallies_, each.label, each.predicted);
  // Where fewer arrived than were declared, the rows move together.
  const std::size_t pictures = all_.size();
  for (int i = 0; i < ranked_classes(); ++i) {
    for (std::size_t picture = 0; picture < pictures; ++picture) {
      rankings_[i * pictures + picture] = rankings_[i * options_.pictures + picture];
    }
    Rank(std::span(rankings_).subspan(i * pictures, pictures));
  }
}

// Floats from 0 up are in the order of their bits, so that a probability above a picture's number
// counted from the end is one number to sort by.
void Predictions::Rank(std::span<Ranked> row) {
  const std::span<std::uint64_t> sorting = std::span(sorting_).first(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::uint64_t probability = std::bit_cast<std::uint32_t>(row[i]);
    sorting[i] = probability << 32 | (~static_cast<std::uint32_t>(i));
  }
  std::sort(sorting.begin(), sorting.end(), std::greater<>());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool is_tied = i > 0 && sorting[i] >> 32 == sorting[i - 1] >> 32;
    row[i] = {~static_cast<std::uint32_t>(sorting[i]) & 0x7fffffff, is_tied};
  }
}

PredictionView Predictions::view() const {
  return {.all = all_,
          .times = {},
          .tallies = tallies_,
          .rankings = std::span(rankings_).first(ranked_classes() * all_.size())};
}

std::span<const float> Predictions::numbers(int index) const {
  return std::span(numbers_).subspan(index * options_.pictures, all_.size());
}

}  // namespace weir
