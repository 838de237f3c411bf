// The list of schedules: what `training.schedule` may name. The first is the default.
#include "stages/train/schedules/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "framework/error.h"
#include "stages/train/schedules/constant_schedule.h"
#include "stages/train/schedules/cosine_schedule.h"
#include "stages/train/schedules/exponential_schedule.h"
#include "stages/train/schedules/multi_step_schedule.h"
#include "stages/train/schedules/one_cycle_schedule.h"
#include "stages/train/schedules/polynomial_schedule.h"
#include "stages/train/schedules/reduce_on_plateau.h"
#include "stages/train/schedules/step_schedule.h"

namespace weir {
namespace {

// clang-format off
constexpr std::array kSchedules{
    PartOf<Schedule, ConstantSchedule>(),
    PartOf<Schedule, StepSchedule>(),
    PartOf<Schedule, MultiStepSchedule>(),
    PartOf<Schedule, ExponentialSchedule>(),
    PartOf<Schedule, PolynomialSchedule>(),
    PartOf<Schedule, CosineSchedule>(),
    PartOf<Schedule, OneCycleSchedule>(),
    PartOf<Schedule, ReduceOnPlateau>(),
};
// clang-format on

}  // namespace

std::span<const Part<Schedule>> Schedule::All() { return kSchedules; }

std::uint64_t ScheduleLength::StepsOf(std::uint64_t pictures, int batch_size, bool drop_last) {
  const auto size = static_cast<std::uint64_t>(batch_size);
  return pictures / size + (!drop_last && pictures % size != 0 ? 1 : 0);
}

double Schedule::Rate(double base, const ScheduleClock& clock) const {
  const double warm_up = warm_up_ ? warm_up_->StepsOf(clock.steps_per_epoch) : 0;
  const double step = static_cast<double>(clock.step);
  const double all = clock.epochs * static_cast<double>(clock.steps_per_epoch);
  Progress at{.steps = std::max(1.0, all - warm_up),
              .steps_per_epoch = clock.steps_per_epoch,
              .higher_is_better = clock.higher_is_better};
  if (step < warm_up) return RateAt(base, at) * std::lerp(warm_up_->from, 1, step / warm_up);
  at.step = step - warm_up;
  if (NeedsLength()) at.step = std::min(at.step, at.steps);
  at.monitored = clock.monitored;
  if (warm_up > 0 && clock.steps_per_epoch > 0) {
    const double warmed = std::floor(warm_up / static_cast<double>(clock.steps_per_epoch));
    const double known = static_cast<double>(at.monitored.size());
    at.monitored = at.monitored.subspan(static_cast<std::size_t>(std::min(warmed, known)));
  }
  return RateAt(base, at);
}

void Schedule::CheckFits(double base, const ScheduleLength& length, const std::string& key) const {
  const std::string own_key = key + "." + std::string(name_);
  const std::string warm_up_key = own_key + ".warm_up";
  if (!length.steps_per_epoch) {
    const bool is_warm_up = warm_up_ && warm_up_->epochs;
    if (!NeedsLength() && !is_warm_up) return;
    Refuse(NeedsLength() ? own_key : warm_up_key + ".epochs",
           "the source does not know how many pictures it has, so that nobody knows how many steps "
           "an epoch takes",
           NeedsLength() ? "Use the schedule `constant`, or a source that lists its pictures."
                         : "Give the `steps` of the warm-up, or use a source that lists its "
                           "pictures.");
  }
  const std::uint64_t epoch = *length.steps_per_epoch;
  if (epoch == 0) return;  // no step will ask for a rate, and the run says why
  const double all = length.epochs * static_cast<double>(epoch);
  const double warm_up = warm_up_ ? warm_up_->StepsOf(epoch) : 0;
  if (warm_up_ && warm_up == 0) {
    Refuse(warm_up_key,
           warm_up_->Text() + " of " + CountText(static_cast<double>(epoch), "steps") +
               " each make less than one step",
           "Give more, or leave the warm-up out.");
  }
  if (warm_up >= all) {
    Refuse(warm_up_key,
           CountText(warm_up, "steps") + " leave none of the " + CountText(all, "steps") +
               " of the training (" + CountText(length.epochs, "epochs") + " of " +
               CountText(static_cast<double>(epoch), "steps") + ")",
           "Give fewer, or train for more epochs.");
  }
  CheckOwn(base, length, all - warm_up, own_key);
}

YamlNode Schedule::Written(const YamlNode& params) const {
  std::vector<YamlEntry> entries = params.entries();
  if (!warm_up_) {
    std::erase_if(entries, [](const YamlEntry& entry) { return entry.key == "warm_up"; });
  }
  return WriteNamedParams(name_, YamlNode::Map(entries));
}

void Schedule::Refuse(const std::string& key, const std::string& what, const std::string& remedy) {
  throw Error(ErrorKind::kConfig, key + ": " + what, remedy);
}

void CheckFactor(const Blame& blame, double factor) {
  if (factor < 1) return;
  blame("factor", "`factor` takes less than 1, not " + Bound(factor).text);
}

void Schedule::CheckFloor(double min, double base, const std::string& key) {
  if (min <= base) return;
  Refuse(key + ".min",
         Bound(min).text + " is more than the optimizer's learning_rate of " + Bound(base).text,
         "Give a lower one, or a higher learning_rate.");
}

}  // namespace weir
