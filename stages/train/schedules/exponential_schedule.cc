#include "stages/train/schedules/exponential_schedule.h"

#include <cmath>

namespace weir {

double ExponentialSchedule::RateAt(double base, const Progress& at) const {
  return base * std::pow(params_.factor, at.step / static_cast<double>(at.steps_per_epoch));
}

}  // namespace weir
