// Exponential decay: the rate falls by a factor in an epoch, a little in each step (Keras'
// ExponentialDecay with decay_steps = an epoch; at the ends of epochs PyTorch's ExponentialLR).
// Thread safety as Schedule.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <tuple>

#include "stages/train/schedules/schedule.h"

namespace weir {

class ExponentialSchedule final : public Schedule {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"exponential"};
  static constexpr std::string_view kDoc = "Falls by a factor in an epoch, a little in each step.";

  struct Params {
    double factor = 0.95;
    std::optional<WarmUp> warm_up{};

    static auto Fields() {
      return std::tuple{Field{"factor", &Params::factor,
                              "What an epoch multiplies the rate by; less than 1.", MoreThan{0}},
                        WarmUpField<Params>()};
    }
    void Check(const Blame& blame) const { CheckFactor(blame, factor); }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit ExponentialSchedule(const Params& params)
      : Schedule(kNames.front(), params.warm_up), params_(Checked(params)) {}

  YamlNode ToYaml() const override { return Written(weir::ToYaml(params_)); }

 private:
  double RateAt(double base, const Progress& at) const override;

  Params params_;
};

}  // namespace weir
