// What becomes of the learning rate from step to step. Each schedule is a class in a file of its
// own in this folder and a row of the list in schedule.cc.
//
// The rate is a pure function of the optimizer's own rate and of where the training stands, so that
// a run that is resumed needs nothing else to go on with the same rates. Each schedule may begin
// with a warm-up (warm_up.h); what it counts, steps and epochs, it counts from the end of that, and
// its end is that of the training.
//
//   | schedule          | Keras 3           | PyTorch (torch.optim.lr_scheduler)                 |
//   |-------------------|-------------------|----------------------------------------------------|
//   | step              |                   | StepLR, step_size = every                          |
//   | multi_step        |                   | MultiStepLR, milestones = at                       |
//   | exponential       | ExponentialDecay, | ExponentialLR, which holds the rate all through an |
//   |                   | decay_steps = an  | epoch: the same at its beginning                   |
//   |                   | epoch             |                                                    |
//   | polynomial        | PolynomialDecay   | PolynomialLR, which has no min                     |
//   | cosine            | CosineDecay,      | CosineAnnealingLR, T_max = all steps,              |
//   |                   | alpha = min / the | eta_min = min                                      |
//   |                   | optimizer's rate  |                                                    |
//   | one_cycle         |                   | OneCycleLR, without its turns of the momentum      |
//   | reduce_on_plateau | ReduceLROnPlateau | ReduceLROnPlateau with threshold_mode abs; it has  |
//   |                   |                   | other counts of patience and cooldown              |
//
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "framework/config/parts.h"
#include "stages/train/schedules/warm_up.h"

namespace weir {

// Where a phase of training stands.
struct ScheduleClock {
  // The figures of so many validations are kept, the last ones.
  static constexpr int kMostMonitored = 16384;

  std::uint64_t step = 0;               // of the phase, from 0
  std::uint64_t steps_per_epoch = 0;    // as planned; 0 where it is not known
  int epochs = 1;                       // of the phase
  std::span<const double> monitored{};  // the monitored figure of each validation of the phase
  bool higher_is_better = true;         // of that figure
};

// How long a phase of training is, as far as that is known before it begins.
struct ScheduleLength {
  // How many batches of `batch_size` an epoch has of `pictures`.
  static std::uint64_t StepsOf(std::uint64_t pictures, int batch_size, bool drop_last);

  std::optional<std::uint64_t> steps_per_epoch{};  // empty where the source does not know it
  int epochs = 1;
  bool is_validated = false;  // whether each epoch ends with a monitored figure
};

class Schedule {
 public:
  static constexpr std::string_view kWord = "schedule", kOne = "a schedule", kMany = "schedules";
  static std::span<const Part<Schedule>> All();

  virtual ~Schedule() = default;

  virtual YamlNode ToYaml() const = 0;

  // The learning rate of a step, where `base` is the optimizer's own. A step behind the planned end
  // has the rate of the end.
  double Rate(double base, const ScheduleClock& clock) const;

  // Throws Error(kConfig) where a phase of that length cannot follow it: nobody knows how many
  // steps an epoch has and the schedule must, the warm-up leaves no step, a floor is above `base`.
  // `key` is where it stands in the configuration, "training.schedule".
  void CheckFits(double base, const ScheduleLength& length, const std::string& key) const;

 protected:
  Schedule(std::string_view name, const std::optional<WarmUp>& warm_up)
      : name_(name), warm_up_(warm_up) {}

  // Where it stands behind its warm-up.
  struct Progress {
    double step = 0;   // from 0, at most `steps` where NeedsLength()
    double steps = 1;  // all of its own, at least 1
    std::uint64_t steps_per_epoch = 0;
    std::span<const double> monitored{};  // of the epochs that end behind the warm-up
    bool higher_is_better = true;

    double done() const { return step / steps; }  // from 0 to 1
  };

  // As ToYaml() has it: the name alone where nothing but a warm-up that is not there follows.
  YamlNode Written(const YamlNode& params) const;
  // Throws Error(kConfig): "training.schedule.step.every: <what>".
  [[noreturn]] static void Refuse(const std::string& key, const std::string& what,
                                  const std::string& remedy);
  // Refuses a lowest rate that is above `base`.
  static void CheckFloor(double min, double base, const std::string& key);

 private:
  virtual double RateAt(double base, const Progress& at) const = 0;
  // Whether it is for trainings of a known length alone: where RateAt asks for more than the step,
  // or CheckOwn has something to look at.
  virtual bool NeedsLength() const { return true; }
  // What CheckFits finds in a schedule's own parameters; `steps` are its own.
  virtual void CheckOwn([[maybe_unused]] double base, [[maybe_unused]] const ScheduleLength& length,
                        [[maybe_unused]] double steps,
                        [[maybe_unused]] const std::string& key) const {}

  std::string_view name_;  // a kNames of the class
  std::optional<WarmUp> warm_up_;
};

// Refuses a `factor` by which the rate would not fall, where its field has MoreThan{0}.
void CheckFactor(const Blame& blame, double factor);

}  // namespace weir
