// The rate falls by a factor whenever the monitored figure of the validation has stopped getting
// better: Keras' ReduceLROnPlateau, counted from the figures of all epochs, so that it has no state
// of its own. Thread safety as Schedule.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "stages/train/schedules/schedule.h"

namespace weir {

class ReduceOnPlateau final : public Schedule {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"reduce_on_plateau"};
  static constexpr std::string_view kDoc =
      "Falls by a factor when the monitored figure of the validation gets no better.";

  struct Params {
    double factor = 0.1;
    int patience = 10;
    double min_delta = 1e-4;
    int cooldown = 0;
    double min = 0;
    std::optional<WarmUp> warm_up{};

    static auto Fields() {
      return std::tuple{
          Field{"factor", &Params::factor, "What the rate is multiplied by; less than 1.",
                MoreThan{0}},
          Field{"patience", &Params::patience,
                "How many epochs in turn without a better figure let it fall.", AtLeast{0}},
          Field{"min_delta", &Params::min_delta,
                "A figure is better where it is by more than this, in its own unit.", AtLeast{0}},
          Field{"cooldown", &Params::cooldown, "Epochs after a fall that do not count.",
                AtLeast{0}},
          Field{"min", &Params::min, "The lowest rate.", AtLeast{0}},
          WarmUpField<Params>()};
    }
    void Check(const Blame& blame) const { CheckFactor(blame, factor); }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit ReduceOnPlateau(const Params& params)
      : Schedule(kNames.front(), params.warm_up), params_(Checked(params)) {}

  YamlNode ToYaml() const override { return Written(weir::ToYaml(params_)); }

 private:
  double RateAt(double base, const Progress& at) const override;
  // Refuses a training without validation, and one of more epochs than figures are kept of.
  void CheckOwn(double base, const ScheduleLength& length, double steps,
                const std::string& key) const override;

  Params params_;
};

}  // namespace weir
