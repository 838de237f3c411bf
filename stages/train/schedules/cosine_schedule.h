// Cosine decay without restarts: min + (base - min) * (1 + cos(pi * step / steps)) / 2 (Loshchilov
// and Hutter, 2017, arXiv:1608.03983; PyTorch's CosineAnnealingLR, Keras' CosineDecay). Thread
// safety as Schedule.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "stages/train/schedules/schedule.h"

namespace weir {

class CosineSchedule final : public Schedule {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"cosine"};
  static constexpr std::string_view kDoc =
      "Falls along a half cosine to the end (Loshchilov and Hutter, 2017).";

  struct Params {
    double min = 0;
    std::optional<WarmUp> warm_up{};

    static auto Fields() {
      return std::tuple{Field{"min", &Params::min, "The rate at the end.", AtLeast{0}},
                        WarmUpField<Params>()};
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit CosineSchedule(const Params& params)
      : Schedule(kNames.front(), params.warm_up), params_(Checked(params)) {}

  YamlNode ToYaml() const override { return Written(weir::ToYaml(params_)); }

 private:
  double RateAt(double base, const Progress& at) const override;
  void CheckOwn(double base, const ScheduleLength&, double, const std::string& key) const override {
    CheckFloor(params_.min, base, key);
  }

  Params params_;
};

}  // namespace weir
