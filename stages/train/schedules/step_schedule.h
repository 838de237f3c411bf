// Step decay: the rate is multiplied by a factor every so many epochs (PyTorch's StepLR). Thread
// safety as Schedule.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "stages/train/schedules/schedule.h"

namespace weir {

class StepSchedule final : public Schedule {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"step"};
  static constexpr std::string_view kDoc = "Falls by a factor every so many epochs.";

  struct Params {
    double every = 1;
    double factor = 0.1;
    std::optional<WarmUp> warm_up{};

    static auto Fields() {
      return std::tuple{Field{"every", &Params::every,
                              "Epochs from one fall to the next, parts of one too, rounded to "
                              "whole steps.",
                              MoreThan{0}},
                        Field{"factor", &Params::factor,
                              "What the rate is multiplied by; less than 1.", MoreThan{0}},
                        WarmUpField<Params>()};
    }
    void Check(const Blame& blame) const { CheckFactor(blame, factor); }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit StepSchedule(const Params& params)
      : Schedule(kNames.front(), params.warm_up), params_(Checked(params)) {}

  YamlNode ToYaml() const override { return Written(weir::ToYaml(params_)); }

 private:
  double RateAt(double base, const Progress& at) const override;
  void CheckOwn(double base, const ScheduleLength& length, double steps,
                const std::string& key) const override;

  Params params_;
};

}  // namespace weir
