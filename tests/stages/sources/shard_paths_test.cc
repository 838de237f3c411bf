#include "stages/sources/shard_paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/caught_error.h"

namespace weir {
namespace {

using testing::ElementsAre;

std::vector<std::string> ShardsOf(const std::string& pattern) {
  std::vector<std::string> shards;
  ForEachShard("shards", pattern, [&](const std::string& shard) { shards.push_back(shard); });
  return shards;
}

std::string Refusal(const std::string& pattern) {
  return CaughtError([&] { ShardsOf(pattern); });
}

TEST(ShardPaths, BracesAreRangesAndLists) {
  EXPECT_THAT(ShardsOf("a-{08..10}.tar"), ElementsAre("a-08.tar", "a-09.tar", "a-10.tar"));
  EXPECT_THAT(ShardsOf("{a,b}-{0..1}"), ElementsAre("a-0", "a-1", "b-0", "b-1"));
  EXPECT_THAT(ShardsOf("a}b{c"), ElementsAre("a}b{c"));
  EXPECT_EQ(ShardsOf("{000..999}{000..999}.tar").size(), 1'000'000u);
}

TEST(ShardPaths, RangesThatMultiplyAreCountedBeforeTheyAreWrittenOut) {
  const std::string digits = "{0..999}{0..999}{0..999}{0..999}{0..999}{0..999}{0..999}{0..999}";
  for (const std::string& pattern :
       {std::string("{000..999}{000..999}{000..999}.tar"), digits + "{a,b}"}) {
    EXPECT_EQ(Refusal(pattern),
              "shards: " + pattern +
                  " is more shards than are read\n"
                  "Braces multiply: {00..99}{00..99} is 10,000. A million shards are the most, "
                  "with 64 MiB of names.");
  }
}

TEST(ShardPaths, RefusesWhatIsNoRange) {
  for (const std::string inside : {"3..1", "a..c", "1..", "0..18446744073709551615"}) {
    EXPECT_EQ(Refusal("x-{" + inside + "}.tar"),
              "shards: {" + inside +
                  "} is no range of shards\n"
                  "Write one as {000000..000012}, of a million at most.");
  }
}

}  // namespace
}  // namespace weir
