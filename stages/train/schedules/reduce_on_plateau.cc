#include "stages/train/schedules/reduce_on_plateau.h"

#include <algorithm>
#include <limits>

#include "stages/train/schedules/plateau.h"

namespace weir {

double ReduceOnPlateau::RateAt(double base, const Progress& at) const {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  double rate = base;
  double best = at.higher_is_better ? -kInfinite : kInfinite;
  int waited = 0;
  int cooling = 0;
  for (const double figure : at.monitored) {
    if (cooling > 0) {
      --cooling;
      waited = 0;
    }
    if (IsBetter(figure, best, at.higher_is_better, params_.min_delta)) {
      best = figure;
      waited = 0;
    } else if (cooling == 0 && ++waited >= params_.patience && rate > params_.min) {
      rate = std::max(rate * params_.factor, params_.min);
      cooling = params_.cooldown;
      waited = 0;
    }
  }
  return rate;
}

void ReduceOnPlateau::CheckOwn(double base, const ScheduleLength& length, double,
                               const std::string& key) const {
  if (!length.is_validated) {
    Refuse(key, "no pictures are set aside to validate with, so that nothing is monitored",
           "Set `validation_split` of the source, or use another schedule.");
  }
  if (length.epochs > ScheduleClock::kMostMonitored) {
    Refuse(key,
           "the figures of " + std::to_string(ScheduleClock::kMostMonitored) +
               " epochs are kept, fewer than the training has",
           "Train for fewer epochs, or use another schedule.");
  }
  CheckFloor(params_.min, base, key);
}

}  // namespace weir
