#include "stages/train/confusion_counts.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "framework/random.h"

namespace weir {
namespace {

using Taken = std::tuple<int, int, std::uint64_t>;  // truth, prediction, pictures

std::vector<Taken> AllTaken(ConfusionCounts& counts) {
  std::vector<Taken> all;
  for (int truth = 0; truth < counts.classes(); ++truth) {
    counts.ForEachTaken(truth, [&](int predicted, std::uint64_t pictures) {
      all.emplace_back(truth, predicted, pictures);
    });
  }
  return all;
}

// The same pictures counted as a matrix and as a list, against a map of our own.
TEST(ConfusionCounts, AreTheSameInBothForms) {
  constexpr int kClasses = 12, kPictures = 140;
  std::map<std::pair<int, int>, std::uint64_t> expected;
  ConfusionCounts matrix, list;
  matrix.Declare(kClasses, kClasses * kClasses);
  list.Declare(kClasses, kPictures);
  for (ConfusionCounts* counts : {&matrix, &list}) {
    counts->Open();
    for (int pass = 0; pass < 2; ++pass) {  // the second forgets the first
      counts->Begin();
      expected.clear();
      CounterRandom random(5, "confusions", pass);
      for (int i = 0; i < kPictures; ++i) {
        const int truth = static_cast<int>(random.Uniform(0, kClasses));
        const int predicted = static_cast<int>(random.Uniform(0, 3));
        counts->Add(truth, predicted);
        ++expected[{truth, predicted}];
      }
    }
    std::vector<Taken> wanted;
    std::uint64_t hits_of_1 = 0, taken_for_1 = 0;
    for (const auto& [cell, pictures] : expected) {
      wanted.emplace_back(cell.first, cell.second, pictures);
      if (cell.second == 1) taken_for_1 += pictures;
      if (cell == std::pair(1, 1)) hits_of_1 = pictures;
    }
    EXPECT_EQ(AllTaken(*counts), wanted);
    EXPECT_EQ(counts->of_classes()[1].hits, hits_of_1);
    EXPECT_EQ(counts->of_classes()[1].taken, taken_for_1);
  }
}

TEST(ConfusionCounts, HoldNoMoreThanAnEntryAPicture) {
  ConfusionCounts counts;
  counts.Declare(65'536, 40'000);
  EXPECT_EQ(counts.bytes(), 40'000u * 8 + 65'536u * 24);
  counts.Declare(2, 40'000);
  EXPECT_EQ(counts.bytes(), 4u * 8 + 2u * 24);
}

TEST(ConfusionCounts, RefuseMorePicturesThanWereDeclared) {
  ConfusionCounts counts;
  counts.Declare(3, 1);
  counts.Open();
  counts.Add(2, 0);
  EXPECT_THROW(counts.Add(2, 0), std::length_error);
  EXPECT_EQ(AllTaken(counts), (std::vector<Taken>{{2, 0, 1}}));
}

}  // namespace
}  // namespace weir
