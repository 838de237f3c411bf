#include "stages/validation_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace weir {
namespace {

using testing::ElementsAre;
using Part = ValidationSplit::Part;

std::vector<std::uint64_t> Indices(const ValidationSplit& split, Part part) {
  std::vector<std::uint64_t> indices;
  for (std::uint64_t i = 0; i < split.size(part); ++i) indices.push_back(split.IndexOf(part, i));
  return indices;
}

TEST(ValidationSplit, KeepsTheFirstOfEachClassAsKerasDoes) {
  const ValidationSplit split({5, 0, 3, 9}, 0.4);  // int(2.0), 0, int(1.2), int(3.6)
  EXPECT_THAT(Indices(split, Part::kValidation), ElementsAre(0, 1, 5, 8, 9, 10));
  EXPECT_THAT(Indices(split, Part::kTraining), ElementsAre(2, 3, 4, 6, 7, 11, 12, 13, 14, 15, 16));
  EXPECT_EQ(split.size(Part::kValidation, 3), 3u);
  EXPECT_EQ(split.size(Part::kTraining, 1), 0u);
}

TEST(ValidationSplit, WithoutAFractionAllIsForTraining) {
  const ValidationSplit split({2, 3}, 0);
  EXPECT_THAT(Indices(split, Part::kTraining), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(split.size(Part::kValidation), 0u);
}

TEST(ValidationSplit, DrawsAsManyByChanceAndKeepsTheOrder) {
  const std::vector<std::uint64_t> sizes = {50, 20, 7};
  const ValidationSplit drawn = ValidationSplit::Drawn(sizes, 0.3, 1);
  const std::vector<std::uint64_t> validation = Indices(drawn, Part::kValidation);
  const std::vector<std::uint64_t> training = Indices(drawn, Part::kTraining);
  EXPECT_EQ(drawn.size(Part::kValidation, 0), 15u);
  EXPECT_EQ(drawn.size(Part::kValidation, 1), 6u);
  EXPECT_EQ(drawn.size(Part::kValidation, 2), 2u);
  EXPECT_TRUE(std::is_sorted(validation.begin(), validation.end()));
  EXPECT_TRUE(std::is_sorted(training.begin(), training.end()));

  std::vector<std::uint64_t> both;
  std::merge(validation.begin(), validation.end(), training.begin(), training.end(),
             std::back_inserter(both));
  for (std::uint64_t i = 0; i < 77; ++i) EXPECT_EQ(both.at(i), i);

  EXPECT_NE(validation, Indices(ValidationSplit(sizes, 0.3), Part::kValidation));
  EXPECT_EQ(validation, Indices(ValidationSplit::Drawn(sizes, 0.3, 1), Part::kValidation));
  EXPECT_NE(validation, Indices(ValidationSplit::Drawn(sizes, 0.3, 2), Part::kValidation));
}

}  // namespace
}  // namespace weir
