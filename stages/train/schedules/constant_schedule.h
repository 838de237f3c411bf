// One learning rate from beginning to end. Thread safety as Schedule.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <tuple>

#include "stages/train/schedules/schedule.h"

namespace weir {

class ConstantSchedule final : public Schedule {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"constant"};
  static constexpr std::string_view kDoc = "The optimizer's learning rate in every step.";

  struct Params {
    std::optional<WarmUp> warm_up{};
    static auto Fields() { return std::tuple{WarmUpField<Params>()}; }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit ConstantSchedule(const Params& params)
      : Schedule(kNames.front(), params.warm_up), params_(Checked(params)) {}

  YamlNode ToYaml() const override { return Written(weir::ToYaml(params_)); }

 private:
  double RateAt(double base, const Progress& at) const override;
  bool NeedsLength() const override { return false; }

  Params params_;
};

}  // namespace weir
