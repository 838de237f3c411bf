#include "stages/augment/lower_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using testing::ElementsAre;

std::vector<std::string> Below(int height, int width) {
  const std::vector<Lowerable> lowerable = LowerSizes({height, width});
  if (lowerable.empty()) return {};
  EXPECT_EQ(lowerable.size(), 1u);
  EXPECT_EQ(lowerable[0].parameter, "size");
  EXPECT_EQ(lowerable[0].now, "[" + std::to_string(height) + ", " + std::to_string(width) + "]");
  EXPECT_EQ(lowerable[0].alters, Lowerable::Alters::kSamples);
  return lowerable[0].values;
}

TEST(LowerSizes, AreTheSquaresOfMultiplesOf32BelowBothSides) {
  EXPECT_THAT(Below(128, 128), ElementsAre("[96, 96]", "[64, 64]", "[32, 32]"));
  EXPECT_THAT(Below(33, 33), ElementsAre("[32, 32]"));
  EXPECT_THAT(Below(72, 300), ElementsAre("[64, 64]", "[32, 32]"));
  EXPECT_THAT(Below(300, 72), ElementsAre("[64, 64]", "[32, 32]"));
}

TEST(LowerSizes, AreNoneWhereASideIs32OrLess) {
  EXPECT_THAT(Below(32, 32), ElementsAre());
  EXPECT_THAT(Below(16, 224), ElementsAre());
}

}  // namespace
}  // namespace weir
