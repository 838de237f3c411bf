#include "pipelines/report/bottleneck.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Bottleneck, IsTheStageThatTookMostOfTheThreadsTime) {
  const std::vector<Pipeline::Figures> figures = {
      {"directory", {.items = 10, .busy_seconds = 0.01}},
      {"decode", {.items = 10, .busy_seconds = 2}},
      {"features", {.items = 2, .busy_seconds = 15}},
      {"train", {.items = 2, .busy_seconds = 1}},
  };
  const auto shares = SharesOfTime(figures, 10, 2);
  ASSERT_EQ(shares.size(), 5u);
  EXPECT_EQ(shares[0].first, "features");
  EXPECT_DOUBLE_EQ(shares[0].second, 0.75);
  EXPECT_EQ(shares[4].first, "idle");
  EXPECT_NEAR(shares[4].second, 0.0995, 1e-9);
  EXPECT_EQ(BottleneckText(shares, 2),
            "bottleneck: features, 75 % of the time of 2 threads (decode 10 %, train 5 %, idle 10 "
            "%)");
}

TEST(Bottleneck, IsNothingWhereNoTimeWentBy) {
  EXPECT_EQ(BottleneckText(SharesOfTime({{"train", {}}}, 0, 1), 1), "");
  EXPECT_EQ(BottleneckText(SharesOfTime({{"train", {.busy_seconds = 1}}}, 1, 1), 1),
            "bottleneck: train, 100 % of the time of 1 thread");
}

}  // namespace
}  // namespace weir
