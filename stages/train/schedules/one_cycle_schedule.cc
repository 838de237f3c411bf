#include "stages/train/schedules/one_cycle_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weir {
namespace {

// Along a half cosine from one rate to the other.
double Between(double from, double to, double part) {
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * part));
}

}  // namespace

// As OneCycleLR counts: the peak is at warm_part * steps - 1, between two steps where that is no
// whole number, and the lowest rate at the last step.
double OneCycleSchedule::RateAt(double base, const Progress& at) const {
  const double first = base / params_.start_divisor;
  const double last = at.steps - 1;
  const double peak = params_.warm_part * at.steps - 1;
  const double step = std::min(at.step, last);
  if (step <= peak) return peak > 0 ? Between(first, base, step / peak) : base;
  return Between(base, first / params_.end_divisor, (step - peak) / (last - peak));
}

}  // namespace weir
