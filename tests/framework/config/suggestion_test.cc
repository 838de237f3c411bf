#include "framework/config/suggestion.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("epoch", "epochs"), 1u);
  EXPECT_EQ(EditDistance("horizontl_flip", "horizontal_flip"), 1u);
  EXPECT_EQ(EditDistance("sihze", "size"), 1u);
  EXPECT_EQ(EditDistance("szie", "size"), 1u);
  EXPECT_EQ(EditDistance("ca", "abc"), 3u);  // a swapped pair is not edited again
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(Suggest, TakesTheNearestAndTheFirstOfEquals) {
  const std::vector<std::string> known = {"shear", "zoom", "horizontal_flip", "sheer"};
  EXPECT_EQ(Suggest("shaer", known), "shear");
  EXPECT_EQ(Suggest("SHEAR", known), "shear");
  EXPECT_EQ(Suggest("shexr", known), "shear");
  EXPECT_EQ(Suggest("horizontal-flp", known), "horizontal_flip");
}

TEST(Suggest, StaysSilentWhereNothingIsNear) {
  const std::vector<std::string> known = {"size", "path", "a"};
  EXPECT_EQ(Suggest("seed", known), std::nullopt);
  EXPECT_EQ(Suggest("x", known), std::nullopt);
  EXPECT_EQ(Suggest("", known), std::nullopt);
  EXPECT_EQ(Suggest("size", {}), std::nullopt);
  EXPECT_EQ(Suggest(std::string(1 << 20, 's'), known), std::nullopt);
}

TEST(Enumerate, ReadsAsASentence) {
  EXPECT_EQ(Enumerate({}), "");
  EXPECT_EQ(Enumerate(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(Enumerate(std::vector<std::string>{"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(Enumerate(std::vector<std::string>{"a", "b"}, "or"), "a or b");
}

}  // namespace
}  // namespace weir
