#include "stages/train/schedules/multi_step_schedule.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace weir {

void MultiStepSchedule::Params::Check(const Blame& blame) const {
  CheckFactor(blame, factor);
  if (at.empty()) blame("at", "`at` takes one number of epochs at least");
  const auto wrong = std::adjacent_find(at.begin(), at.end(), std::greater_equal<>());
  if (wrong == at.end()) return;
  blame("at", "`at` takes epochs that rise, and " + Bound(wrong[1]).text + " follows on " +
                  Bound(wrong[0]).text);
}

double MultiStepSchedule::RateAt(double base, const Progress& at) const {
  const auto falls = std::count_if(params_.at.begin(), params_.at.end(), [&](double epochs) {
    return at.step >= StepsInEpochs(epochs, at.steps_per_epoch);
  });
  return base * std::pow(params_.factor, static_cast<double>(falls));
}

void MultiStepSchedule::CheckOwn(double, const ScheduleLength& length, double steps,
                                 const std::string& key) const {
  const std::uint64_t epoch = *length.steps_per_epoch;
  for (const double epochs : params_.at) {
    if (StepsInEpochs(epochs, epoch) < 1) {
      Refuse(key + ".at",
             CountText(epochs, "epochs") + " of " + CountText(static_cast<double>(epoch), "steps") +
                 " each make less than one step",
             "Give more.");
    }
    if (StepsInEpochs(epochs, epoch) < steps) continue;
    const double all = length.epochs * static_cast<double>(epoch);
    const std::string behind =
        steps < all ? " behind a warm-up of " + CountText(all - steps, "steps") : "";
    Refuse(key + ".at",
           "a fall after " + CountText(epochs, "epochs") + behind +
               ", but the training ends after " + CountText(length.epochs, "epochs"),
           "Remove it from the list, or train for more epochs.");
  }
}

}  // namespace weir
