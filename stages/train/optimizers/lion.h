// Lion (Chen et al., 2023, arXiv:2302.06675): every weight moves by the rate, along the sign of a
// mean gradient.
//
// One slot. Thread safety as Optimizer.
#pragma once

#include <array>
#include <string_view>
#include <tuple>
#include <vector>

#include "stages/train/optimizers/optimizer.h"

namespace weir {

class Lion final : public Optimizer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"lion"};
  static constexpr std::string_view kDoc =
      "Steps by the sign of the mean gradient: 3 to 10 times smaller rates than Adam's (Chen et "
      "al., 2023).";

  struct Params {
    double learning_rate = 0.001;
    double beta_1 = 0.9;
    double beta_2 = 0.99;
    OptimizerOptions options{};

    static auto Fields() {
      return std::tuple_cat(
          std::tuple{Field{"learning_rate", &Params::learning_rate,
                           "The size of a step (timm's default is 1e-4).", MoreThan{0},
                           LearningRateElsewhere()},
                     Field{"beta_1", &Params::beta_1,
                           "How much of the mean gradient the direction of a step keeps; more than "
                           "0, less than 1.",
                           Range{0, 1}, Beta1Elsewhere()},
                     Field{"beta_2", &Params::beta_2,
                           "How much of the mean gradient is kept for the next step; less than 1.",
                           Range{0, 1}, Beta2Elsewhere()}},
          FieldsOf(&Params::options));
    }
    void Check(const Blame& blame) const {
      if (beta_1 == 0) blame("beta_1", "`beta_1` takes more than 0, not 0");
      CheckLessThanOne(blame, "beta_1", beta_1);
      CheckLessThanOne(blame, "beta_2", beta_2);
      options.CheckAt(blame, learning_rate);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit Lion(const Params& params) : params_(Checked(params)) {}

  YamlNode ToYaml() const override {
    return WriteNamedParams(kNames.front(), weir::ToYaml(params_));
  }
  std::string_view name() const override { return kNames.front(); }
  const Params& params() const { return params_; }
  const OptimizerOptions& options() const override { return params_.options; }
  double learning_rate() const override { return params_.learning_rate; }
  std::vector<std::string_view> slot_names() const override { return {"momentum"}; }
  void Step(std::span<float> values, std::span<const float> gradients, Slots slots,
            std::uint64_t step, double learning_rate) const override;

 private:
  Params params_;
};

}  // namespace weir
