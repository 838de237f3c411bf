// Polynomial decay: (base - min) * (1 - step / steps) ^ power + min (Keras' PolynomialDecay; with
// min 0 PyTorch's PolynomialLR). A power of 1 is a line. Thread safety as Schedule.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "stages/train/schedules/schedule.h"

namespace weir {

class PolynomialSchedule final : public Schedule {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"polynomial"};
  static constexpr std::string_view kDoc =
      "Falls as a power of what is left of the training; on a line where that is 1.";

  struct Params {
    double power = 1;
    double min = 0;
    std::optional<WarmUp> warm_up{};

    static auto Fields() {
      return std::tuple{
          Field{"power", &Params::power, "The exponent of the part that is left.", MoreThan{0}},
          Field{"min", &Params::min, "The rate at the end.", AtLeast{0}}, WarmUpField<Params>()};
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit PolynomialSchedule(const Params& params)
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
