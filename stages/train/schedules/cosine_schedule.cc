#include "stages/train/schedules/cosine_schedule.h"

#include <cmath>
#include <numbers>

namespace weir {

double CosineSchedule::RateAt(double base, const Progress& at) const {
  return params_.min + (base - params_.min) * (1 + std::cos(std::numbers::pi * at.done())) / 2;
}

}  // namespace weir
