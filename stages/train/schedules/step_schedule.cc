#include "stages/train/schedules/step_schedule.h"

#include <cmath>

namespace weir {

double StepSchedule::RateAt(double base, const Progress& at) const {
  const double falls = std::floor(at.step / StepsInEpochs(params_.every, at.steps_per_epoch));
  return base * std::pow(params_.factor, falls);
}

void StepSchedule::CheckOwn(double, const ScheduleLength& length, double,
                            const std::string& key) const {
  const std::uint64_t epoch = *length.steps_per_epoch;
  if (StepsInEpochs(params_.every, epoch) >= 1) return;
  Refuse(key + ".every",
         CountText(params_.every, "epochs") + " of " +
             CountText(static_cast<double>(epoch), "steps") + " each make less than one step",
         "Give more.");
}

}  // namespace weir
