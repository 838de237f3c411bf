#include "stages/train/schedules/plateau.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir {
namespace {

// How many epochs are trained before it stops.
int EpochsOf(const std::vector<double>& figures, bool higher_is_better, int patience,
             double min_delta = 0) {
  for (std::size_t epochs = 1; epochs <= figures.size(); ++epochs) {
    if (HasStalled(std::span(figures).first(epochs), higher_is_better, patience, min_delta)) {
      return static_cast<int>(epochs);
    }
  }
  return -1;
}

TEST(HasStalled, StopsWherePatienceEnds) {
  const std::vector<double> accuracies = {0.5, 0.7, 0.6, 0.7, 0.8, 0.8, 0.8, 0.9};
  EXPECT_EQ(EpochsOf(accuracies, true, 1), 3);
  EXPECT_EQ(EpochsOf(accuracies, true, 2), 4) << "an equal figure is no better one";
  EXPECT_EQ(EpochsOf(accuracies, true, 3), -1);
  const std::vector<double> losses = {0.5, 0.4, 0.45, 0.42, 0.39};
  EXPECT_EQ(EpochsOf(losses, false, 2), 4);
  EXPECT_EQ(EpochsOf(losses, false, 3), -1);
}

TEST(HasStalled, CountsWhatIsBetterByMoreThanTheMinimum) {
  const std::vector<double> accuracies = {0.5, 0.51, 0.52, 0.53};
  EXPECT_EQ(EpochsOf(accuracies, true, 3, 0.25), 4);
  EXPECT_EQ(EpochsOf(accuracies, true, 2, 0.015), -1);
  const std::vector<double> losses = {1, 0.75, 0.5};
  EXPECT_EQ(EpochsOf(losses, false, 2, 0.5), 3) << "just as much is not more";
}

TEST(HasStalled, HasNothingToSayBeforeTheFirstEpoch) { EXPECT_FALSE(HasStalled({}, true, 1, 0)); }

}  // namespace
}  // namespace weir
