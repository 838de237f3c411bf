#include "pipelines/finetune/range_test.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace weir {
namespace {

TEST(RangeTestSchedule, RisesByOneFactorAStepWhateverTheLengthOfTheTraining) {
  const RangeTestSchedule schedule({.from = 1e-4, .to = 1, .steps = 5});
  for (const ScheduleClock& clock :
       {ScheduleClock{}, ScheduleClock{.steps_per_epoch = 2, .epochs = 1}}) {
    ScheduleClock at = clock;
    for (at.step = 0; at.step < 5; ++at.step) {
      EXPECT_NEAR(schedule.Rate(0.3, at), std::pow(10.0, static_cast<double>(at.step) - 4), 1e-15);
    }
  }
  schedule.CheckFits(0.3, {}, "training.schedule");
}

// pandas' Series([2, 1, 4]).ewm(alpha=0.02, adjust=True).mean().
TEST(RateCurve, SmoothsWithoutABias) {
  RateCurve curve({.from = 1, .to = 100, .steps = 3});
  for (const double loss : {2.0, 1.0, 4.0}) curve.Add(loss);
  EXPECT_EQ(curve.end(), RateCurve::End::kAllSteps);
  ASSERT_EQ(curve.steps().size(), 3u);
  EXPECT_NEAR(curve.steps()[0].smoothed, 2, 1e-12);
  EXPECT_NEAR(curve.steps()[1].smoothed, 1.4949494949, 1e-9);
  EXPECT_NEAR(curve.steps()[2].smoothed, 2.3468915794, 1e-9);
  EXPECT_NEAR(curve.steps()[1].rate, 10, 1e-12);
  curve.Add(1);
  EXPECT_EQ(curve.steps().size(), 3u) << "it is over";
}

TEST(RateCurve, EndsWhereTheLossDiverges) {
  RateCurve curve({.steps = 100});
  for (int i = 0; i < 10; ++i) curve.Add(1);
  EXPECT_EQ(curve.end(), RateCurve::End::kNotYet);
  for (int i = 0; i < 10; ++i) curve.Add(100);
  EXPECT_EQ(curve.end(), RateCurve::End::kDiverged);
  EXPECT_EQ(curve.steps().size(), 11u);

  RateCurve infinite({.steps = 100});
  infinite.Add(1);
  infinite.Add(std::numeric_limits<double>::quiet_NaN());
  infinite.Add(1);
  EXPECT_EQ(infinite.end(), RateCurve::End::kDiverged);
  EXPECT_EQ(infinite.steps().size(), 1u);
}

// Losses of which the smoothed one is `smoothed(i)`.
template <class Smoothed>
RateCurve CurveOf(const RateRange& range, Smoothed smoothed) {
  RateCurve curve(range);
  double weighted = 0;
  for (int i = 0; i < range.steps; ++i) {
    const double next = smoothed(i) * (1 - std::pow(0.98, i + 1));
    curve.Add((next - 0.98 * weighted) / 0.02);
    weighted = next;
  }
  return curve;
}

TEST(RateCurve, SuggestsTheSteepestRateWhereItIsFarBelowTheLowest) {
  const RateRange range{.from = 1e-6, .to = 1, .steps = 61};  // ten steps a decade
  const auto findings = CurveOf(range, [](int i) {
                          return i < 50 ? 2 - std::tanh((i - 25) / 5.0) : 1 + (i - 50) * 0.05;
                        }).Find();
  ASSERT_TRUE(findings);
  EXPECT_NEAR(findings->steepest / std::pow(10, -3.5), 1, 1e-9);
  EXPECT_NEAR(findings->lowest / std::pow(10, -1), 1, 0.3);
  EXPECT_EQ(findings->suggested, findings->steepest);
}

TEST(RateCurve, SuggestsNoMoreThanATenthOfTheRateOfTheLowestLoss) {
  const RateRange range{.from = 1e-6, .to = 1, .steps = 61};
  const auto findings =
      CurveOf(range, [](int i) { return i < 40 ? 3 : 3 - 2 * std::sin((i - 40) / 6.0); }).Find();
  ASSERT_TRUE(findings);
  EXPECT_GT(findings->steepest, findings->lowest / 10);
  EXPECT_DOUBLE_EQ(findings->suggested, findings->lowest / 10);
}

TEST(RateCurve, SuggestsNothingWhereTheLossDoesNotFall) {
  const RateRange range{.steps = 40};
  EXPECT_FALSE(CurveOf(range, [](int) { return 1.0; }).Find());
  EXPECT_FALSE(CurveOf(range, [](int i) { return 1 + i * 0.01; }).Find());
  RateCurve short_one(range);
  for (int i = 0; i < 5; ++i) short_one.Add(1 - i * 0.1);
  EXPECT_FALSE(short_one.Find());
}

}  // namespace
}  // namespace weir
