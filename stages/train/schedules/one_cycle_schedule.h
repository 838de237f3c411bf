// The one-cycle policy: the rate rises along a half cosine to the optimizer's own, and falls along
// another to far below where it began (Smith and Topin, 2018, arXiv:1708.07120). PyTorch's
// OneCycleLR with max_lr = the optimizer's rate, of which the last step has the lowest rate. The
// momentum stays as it is, which OneCycleLR turns too by default (cycle_momentum).
//
//   | key           | PyTorch          |
//   |---------------|------------------|
//   | warm_part     | pct_start        |
//   | start_divisor | div_factor       |
//   | end_divisor   | final_div_factor |
//
// Thread safety as Schedule.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <tuple>

#include "stages/train/schedules/schedule.h"

namespace weir {

class OneCycleSchedule final : public Schedule {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"one_cycle"};
  static constexpr std::string_view kDoc =
      "Rises to the optimizer's learning rate and falls far below (Smith and Topin, 2018).";

  struct Params {
    double warm_part = 0.3;
    double start_divisor = 25;
    double end_divisor = 1e4;
    std::optional<WarmUp> warm_up{};

    static auto Fields() {
      return std::tuple{Field{"warm_part", &Params::warm_part,
                              "The part of the steps in which the rate rises.", Range{0, 1}},
                        Field{"start_divisor", &Params::start_divisor,
                              "The first rate is the optimizer's, divided by this.", AtLeast{1}},
                        Field{"end_divisor", &Params::end_divisor,
                              "The last rate is the first, divided by this.", AtLeast{1}},
                        WarmUpField<Params>()};
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit OneCycleSchedule(const Params& params)
      : Schedule(kNames.front(), params.warm_up), params_(Checked(params)) {}

  YamlNode ToYaml() const override { return Written(weir::ToYaml(params_)); }

 private:
  double RateAt(double base, const Progress& at) const override;

  Params params_;
};

}  // namespace weir
