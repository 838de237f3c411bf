// A range test of the learning rate: while it rises from step to step, how does the loss answer?
// (Smith, 2017, arXiv:1506.01186; fastai's lr_find.)
//
// One thread; the schedule is immutable. Holds 24 bytes a step.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "stages/train/schedules/schedule.h"

namespace weir {

// The rate of step i is from * (to / from) ^ (i / (steps - 1)).
struct RateRange {
  double from = 1e-7;
  double to = 10;
  int steps = 100;  // at least 2

  double RateOf(double step) const;
};

// "0.00012": three digits that count.
std::string LearningRateText(double rate);

// The schedule of the test itself, whatever the optimizer's rate; no configuration names it.
class RangeTestSchedule final : public Schedule {
 public:
  explicit RangeTestSchedule(const RateRange& range)
      : Schedule("range_test", std::nullopt), range_(range) {}
  YamlNode ToYaml() const override { return YamlNode::Scalar("range_test"); }

 private:
  double RateAt(double, const Progress& at) const override { return range_.RateOf(at.step); }
  bool NeedsLength() const override { return false; }

  RateRange range_;
};

// What came of it, step by step.
class RateCurve {
 public:
  struct Step {
    double rate;
    double loss;      // the mean of the batch, before the step
    double smoothed;  // the mean of all losses so far, each with 0.98 of the weight of the next
  };
  enum class End { kNotYet, kAllSteps, kDiverged };

  explicit RateCurve(const RateRange& range) : range_(range) { steps_.reserve(range.steps); }

  // The loss of the next step. The test is over after the last, and where the smoothed loss is
  // above 4 times its lowest, or a loss is no finite number; then nothing is added any more.
  void Add(double loss);
  End end() const { return end_; }

  const std::vector<Step>& steps() const { return steps_; }

  // Which rates to look at, by the smoothed loss. The first tenth of the steps is left out, as a
  // mean of so few batches jumps.
  struct Findings {
    double steepest = 0;   // where it falls fastest over the logarithm of the rate
    double lowest = 0;     // where it is lowest, at the edge of what is too much
    double suggested = 0;  // the steepest, but no more than a tenth of the lowest
  };
  // Nothing where the loss has not fallen by a twentieth.
  std::optional<Findings> Find() const;

 private:
  RateRange range_;
  std::vector<Step> steps_;
  double weighted_ = 0;  // the mean from 0, before its bias is taken off
  double best_ = 0;      // the lowest smoothed loss
  End end_ = End::kNotYet;
};

}  // namespace weir
