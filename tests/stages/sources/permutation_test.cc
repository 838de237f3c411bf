#include "stages/sources/permutation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace weir {
namespace {

std::vector<std::uint64_t> All(std::uint64_t count, std::uint64_t seed, std::uint64_t epoch) {
  const Permutation permutation(count, seed, "shuffle", epoch);
  std::vector<std::uint64_t> places(count);
  for (std::uint64_t i = 0; i < count; ++i) places[i] = permutation(i);
  return places;
}

TEST(Permutation, GivesEachPlaceOnce) {
  for (const std::uint64_t count : {1, 2, 3, 10, 398, 1023, 1024, 1025, 100'000}) {
    std::vector<std::uint64_t> places = All(count, 1, 0);
    std::sort(places.begin(), places.end());
    std::vector<std::uint64_t> expected(count);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(places, expected) << count;
  }
}

TEST(Permutation, IsAnotherOneForAnotherSeedOrEpoch) {
  EXPECT_EQ(All(1000, 1, 0), All(1000, 1, 0));
  EXPECT_NE(All(1000, 1, 0), All(1000, 2, 0));
  EXPECT_NE(All(1000, 1, 0), All(1000, 1, 1));
}

TEST(Permutation, StaysTheSameFromReleaseToRelease) {
  EXPECT_EQ(All(8, 1, 0), (std::vector<std::uint64_t>{2, 0, 7, 4, 6, 3, 5, 1}));
}

// Each of 5 things is as often in each of 5 places, and the pairs of neighbours are even too:
// chi-squared over 5,000 epochs stays below the 1 in 1,000 quantile.
TEST(Permutation, IsFair) {
  constexpr int kCount = 5;
  constexpr int kEpochs = 5'000;
  std::vector<double> placed(kCount * kCount), neighbours(kCount * kCount);
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const std::vector<std::uint64_t> order = All(kCount, 3, epoch);
    for (int i = 0; i < kCount; ++i) ++placed[i * kCount + order[i]];
    for (int i = 0; i + 1 < kCount; ++i) ++neighbours[order[i] * kCount + order[i + 1]];
  }
  double chi_placed = 0, chi_neighbours = 0;
  for (int i = 0; i < kCount * kCount; ++i) {
    constexpr double kPlaced = kEpochs / 5.0;
    constexpr double kNeighbours = kEpochs * 4 / 20.0;
    chi_placed += std::pow(placed[i] - kPlaced, 2) / kPlaced;
    if (i % (kCount + 1) != 0)
      chi_neighbours += std::pow(neighbours[i] - kNeighbours, 2) / kNeighbours;
  }
  EXPECT_LT(chi_placed, 39.3);      // 16 degrees of freedom
  EXPECT_LT(chi_neighbours, 43.8);  // 19
}

}  // namespace
}  // namespace weir
