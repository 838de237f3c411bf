// Nadam (Dozat, 2016, "Incorporating Nesterov momentum into Adam"): Adam with Nesterov's momentum,
// whose share grows over the first steps (a schedule that the paper takes from Sutskever et al.,
// 2013). PyTorch's NAdam is the same with momentum_decay = 1, which is 0.004 by default.
//
// Two slots: the product of the momentums so far is a function of the step's number. Thread safety
// as Optimizer.
#pragma once

#include <array>
#include <string_view>
#include <tuple>
#include <vector>

#include "stages/train/optimizers/moment_rates.h"
#include "stages/train/optimizers/optimizer.h"

namespace weir {

class Nadam final : public Optimizer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"nadam"};
  static constexpr std::string_view kDoc =
      "Adam with Nesterov's momentum, which grows to beta_1 over the first steps (Dozat, 2016).";

  struct Params {
    double learning_rate = 0.001;
    MomentRates moments{};
    OptimizerOptions options{};

    static auto Fields() {
      return std::tuple_cat(std::tuple{Field{"learning_rate", &Params::learning_rate,
                                             "The size of a step (PyTorch's default is 0.002).",
                                             MoreThan{0}, LearningRateElsewhere()}},
                            FieldsOf(&Params::moments), FieldsOf(&Params::options));
    }
    void Check(const Blame& blame) const {
      moments.CheckAt(blame);
      options.CheckAt(blame, learning_rate);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit Nadam(const Params& params) : params_(Checked(params)) {}

  YamlNode ToYaml() const override {
    return WriteNamedParams(kNames.front(), weir::ToYaml(params_));
  }
  std::string_view name() const override { return kNames.front(); }
  const Params& params() const { return params_; }
  const OptimizerOptions& options() const override { return params_.options; }
  double learning_rate() const override { return params_.learning_rate; }
  std::vector<std::string_view> slot_names() const override { return {"momentum", "velocity"}; }
  void Step(std::span<float> values, std::span<const float> gradients, Slots slots,
            std::uint64_t step, double learning_rate) const override;

  // A step is rate * (of_mean * mean + of_gradient * gradient) / (root of the mean square +
  // epsilon), the mean square times of_squares: the momentum of the next step is looked ahead to,
  // and both biases are taken off.
  struct Shares {
    double of_mean, of_gradient, of_squares;
  };
  Shares SharesAt(std::uint64_t step) const;

 private:
  Params params_;
};

}  // namespace weir
