// Step decay at epochs that are named: the rate is multiplied by a factor at the beginning of each
// (PyTorch's MultiStepLR). An epoch that the training does not come to is refused, as its fall
// would never be. Thread safety as Schedule.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "stages/train/schedules/schedule.h"

namespace weir {

class MultiStepSchedule final : public Schedule {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"multi_step"};
  static constexpr std::string_view kDoc =
      "Falls by a factor after each of some numbers of epochs.";

  struct Params {
    std::vector<double> at{};
    double factor = 0.1;
    std::optional<WarmUp> warm_up{};

    static auto Fields() {
      return std::tuple{
          Field{"at", &Params::at,
                "How many epochs are over at each fall, rising: [30, 60, 90]; parts of one too, "
                "rounded to whole steps.",
                MoreThan{0}, Required{}},
          Field{"factor", &Params::factor, "What the rate is multiplied by; less than 1.",
                MoreThan{0}},
          WarmUpField<Params>()};
    }
    void Check(const Blame& blame) const;
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit MultiStepSchedule(const Params& params)
      : Schedule(kNames.front(), params.warm_up), params_(Checked(params)) {}

  YamlNode ToYaml() const override { return Written(weir::ToYaml(params_)); }

 private:
  double RateAt(double base, const Progress& at) const override;
  void CheckOwn(double base, const ScheduleLength& length, double steps,
                const std::string& key) const override;

  Params params_;
};

}  // namespace weir
