#include "stages/kernels/map_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "framework/random.h"

namespace weir {
namespace {

using Values = std::vector<float>;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Values Random(std::size_t count, std::uint64_t seed) {
  Values values(count);
  CounterRandom random(seed, "map");
  for (float& value : values) value = static_cast<float>(random.Uniform(-4, 10));
  return values;
}

TEST(FinishRows, AddsTheBiasOfEachChannel) {
  Values rows = {1, 2, 3, 4, 5, 6};
  const Values bias = {10, 20, -30};
  FinishRows(rows.data(), 2, 3, bias.data(), nullptr, {});
  EXPECT_THAT(rows, testing::ElementsAre(11, 22, -27, 14, 25, -24));
}

TEST(FinishRows, AddsTheResidual) {
  Values rows = {1, 2, 3, 4};
  const Values bias = {10, 20}, residual = {100, 200, 300, 400};
  FinishRows(rows.data(), 2, 2, bias.data(), residual.data(), {});
  EXPECT_THAT(rows, testing::ElementsAre(111, 222, 313, 424));
}

TEST(FinishRows, HoldsARelu6BetweenItsBounds) {
  Values rows = {-3, -1, 0, 2, 5, 7};
  const Values bias = {1};
  FinishRows(rows.data(), 6, 1, bias.data(), nullptr, 6);
  EXPECT_THAT(rows, testing::ElementsAre(0, 0, 1, 3, 6, 6));
}

TEST(FinishRows, AddsFirstAndClipsThen) {
  Values rows = {-3, 1, 5, -3};
  const Values bias = {1}, added = {5, 1, 5, 1};
  FinishRows(rows.data(), 4, 1, bias.data(), added.data(), 6);
  EXPECT_THAT(rows, testing::ElementsAre(3, 3, 6, 0));
}

TEST(FinishRows, HasNoCeilingForARelu) {
  Values rows = {-3, 100};
  const Values bias = {1};
  FinishRows(rows.data(), 2, 1, bias.data(), nullptr, std::numeric_limits<float>::infinity());
  EXPECT_THAT(rows, testing::ElementsAre(0, 101));
}

TEST(FinishRows, KeepsNaNSoThatADivergedTrainingIsSeen) {
  for (const std::int64_t channels : {1, 5, 16, 33}) {
    Values rows(channels, kNaN);
    const Values bias(channels, 1);
    FinishRows(rows.data(), 1, channels, bias.data(), nullptr, 6);
    EXPECT_THAT(rows, testing::Each(testing::IsNan())) << channels;
  }
}

TEST(MaskAndSum, PassesTheGradientWhereARelu6HasASlope) {
  Values gradient = {1, 2, 3, 4, 5};
  const Values output = {0, 0.5F, 6, 5.9F, 3};
  MaskAndSum(gradient.data(), 1, 5, 1, {output.data(), 5}, 6, nullptr);
  EXPECT_THAT(gradient, testing::ElementsAre(0, 2, 0, 4, 5));
}

// The maps have more pixels than are summed up at once, and channels that fill no register.
TEST(MaskAndSum, SumsWhatIsLeftOfEachChannel) {
  for (const std::int64_t channels : {1, 3, 16, 37}) {
    constexpr std::int64_t kLines = 3, kPixels = 150;
    const Values before = Random(kLines * kPixels * channels, 1);
    const Values output = Random(before.size(), 2);
    Values gradient = before, sum(channels, 100.0F);
    MaskAndSum(gradient.data(), kLines, kPixels, channels, {output.data(), kPixels * channels}, 6,
               sum.data());
    std::vector<double> exact(channels, 100);
    for (std::size_t i = 0; i < before.size(); ++i) {
      const float masked = output[i] > 0 && output[i] < 6 ? before[i] : 0;
      ASSERT_EQ(gradient[i], masked) << i;
      exact[i % channels] += masked;
    }
    for (std::int64_t c = 0; c < channels; ++c) EXPECT_NEAR(sum[c], exact[c], 1e-2) << c;
  }
}

TEST(MaskAndSum, ReadsTheInsideOfAPaddedMap) {
  // Two lines of two pixels of one channel, in lines of four.
  const Values padded = {0, 1, 7, 0, 0, 7, 1, 0};
  Values gradient = {1, 2, 3, 4}, sum = {0};
  MaskAndSum(gradient.data(), 2, 2, 1, {padded.data() + 1, 4}, 6, sum.data());
  EXPECT_THAT(gradient, testing::ElementsAre(1, 0, 0, 4));
  EXPECT_THAT(sum, testing::ElementsAre(5));
}

TEST(MaskAndSum, SumsAloneWhereNothingIsMasked) {
  Values gradient = {1, 2, 3, 4}, sum = {0, 0};
  MaskAndSum(gradient.data(), 1, 2, 2, {}, 6, sum.data());
  EXPECT_THAT(gradient, testing::ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(sum, testing::ElementsAre(4, 6));
}

}  // namespace
}  // namespace weir
