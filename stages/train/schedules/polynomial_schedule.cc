#include "stages/train/schedules/polynomial_schedule.h"

#include <cmath>

namespace weir {

double PolynomialSchedule::RateAt(double base, const Progress& at) const {
  return params_.min + (base - params_.min) * std::pow(1 - at.done(), params_.power);
}

}  // namespace weir
