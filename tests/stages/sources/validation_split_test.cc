#include "stages/sources/validation_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace weir {
namespace {

using testing::ElementsAre;
using Part = ValidationSplit::Part;
using Labels = std::vector<std::int32_t>;

std::vector<std::uint64_t> Indices(const ValidationSplit& split, Part part) {
  std::vector<std::uint64_t> indices;
  for (std::uint64_t i = 0; i < split.size(part); ++i) indices.push_back(split.IndexOf(part, i));
  return indices;
}

Labels InRows(const std::vector<int>& sizes) {
  Labels labels;
  for (std::size_t label = 0; label < sizes.size(); ++label) {
    labels.insert(labels.end(), sizes[label], static_cast<std::int32_t>(label));
  }
  return labels;
}

TEST(ValidationSplit, KeepsTheFirstOfEachClassAsKerasDoes) {
  // int(2.0), 0, int(1.2), int(3.6)
  const auto split = ValidationSplit::FirstOfEach(InRows({5, 0, 3, 9}), 4, 0.4);
  EXPECT_THAT(Indices(split, Part::kValidation), ElementsAre(0, 1, 5, 8, 9, 10));
  EXPECT_THAT(Indices(split, Part::kTraining), ElementsAre(2, 3, 4, 6, 7, 11, 12, 13, 14, 15, 16));
  EXPECT_EQ(split.size(Part::kValidation, 3), 3u);
  EXPECT_EQ(split.size(Part::kTraining, 1), 0u);
}

TEST(ValidationSplit, TheClassesMayBeMixed) {
  const auto split = ValidationSplit::FirstOfEach(Labels{0, 1, 1, 0, 1, 0, 1}, 2, 0.5);
  EXPECT_THAT(Indices(split, Part::kValidation), ElementsAre(0, 1, 2));
  EXPECT_THAT(Indices(split, Part::kTraining), ElementsAre(3, 4, 5, 6));
}

TEST(ValidationSplit, WithoutAFractionAllIsForTraining) {
  const auto split = ValidationSplit::FirstOfEach(InRows({2, 3}), 2, 0);
  EXPECT_THAT(Indices(split, Part::kTraining), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(split.size(Part::kValidation), 0u);
}

TEST(ValidationSplit, FindsEachOfMany) {
  std::mt19937 random(1);
  for (const std::size_t size : {1, 63, 64, 65, 511, 512, 513, 1024, 5000}) {
    for (const unsigned of_ten : {0, 1, 5, 10}) {
      std::vector<std::uint64_t> training, validation;
      std::vector<bool> given;
      for (std::size_t i = 0; i < size; ++i) {
        given.push_back(random() % 10 < of_ten);
        (given.back() ? validation : training).push_back(i);
      }
      const auto split = ValidationSplit::Given(Labels(size, 0), 1,
                                                [&](std::uint64_t index) { return given[index]; });
      ASSERT_EQ(Indices(split, Part::kTraining), training);
      ASSERT_EQ(Indices(split, Part::kValidation), validation);
    }
  }
}

TEST(ValidationSplit, DrawsAsManyByChanceAndKeepsTheOrder) {
  const Labels labels = InRows({50, 20, 7});
  const auto drawn = ValidationSplit::Drawn(labels, 3, 0.3, 1);
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

  EXPECT_NE(validation, Indices(ValidationSplit::FirstOfEach(labels, 3, 0.3), Part::kValidation));
  EXPECT_EQ(validation, Indices(ValidationSplit::Drawn(labels, 3, 0.3, 1), Part::kValidation));
  EXPECT_NE(validation, Indices(ValidationSplit::Drawn(labels, 3, 0.3, 2), Part::kValidation));
}

TEST(ValidationSplit, TakesLittle) {
  constexpr std::size_t kSamples = 100'000;
  const auto split = ValidationSplit::Drawn(Labels(kSamples, 0), 1, 0.2, 1);
  EXPECT_LE(split.bytes(), kSamples * 1.2 / 8);
}

}  // namespace
}  // namespace weir
