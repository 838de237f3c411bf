// Adagrad (Duchi et al., 2011, "Adaptive subgradient methods for online learning and stochastic
// optimization").
//
// One slot. Thread safety as Optimizer.
#pragma once

#include <array>
#include <string_view>
#include <tuple>
#include <vector>

#include "stages/train/optimizers/optimizer.h"

namespace weir {

class Adagrad final : public Optimizer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"adagrad"};
  static constexpr std::string_view kDoc =
      "Steps by the gradient over the root of all its squares so far (Duchi et al., 2011).";

  struct Params {
    double learning_rate = 0.001;
    double initial_accumulator_value = 0.1;
    double epsilon = 1e-7;
    OptimizerOptions options{};

    static auto Fields() {
      return std::tuple_cat(
          std::tuple{
              Field{"learning_rate", &Params::learning_rate,
                    "The size of a step (PyTorch's default is 0.01, the paper's 1).", MoreThan{0},
                    LearningRateElsewhere()},
              Field{"initial_accumulator_value", &Params::initial_accumulator_value,
                    "What the sum of squares begins with (PyTorch's default is 0).", AtLeast{0}},
              Field{"epsilon", &Params::epsilon,
                    "Added to the sum of squares (PyTorch adds 1e-10 to its root).", MoreThan{0},
                    EpsilonElsewhere()}},
          FieldsOf(&Params::options));
    }
    void Check(const Blame& blame) const {
      CheckIsFloat32(blame, "initial_accumulator_value", initial_accumulator_value);
      CheckIsFloat32(blame, "epsilon", epsilon);
      options.CheckAt(blame, learning_rate);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit Adagrad(const Params& params) : params_(Checked(params)) {}

  YamlNode ToYaml() const override {
    return WriteNamedParams(kNames.front(), weir::ToYaml(params_));
  }
  std::string_view name() const override { return kNames.front(); }
  const Params& params() const { return params_; }
  const OptimizerOptions& options() const override { return params_.options; }
  double learning_rate() const override { return params_.learning_rate; }
  std::vector<std::string_view> slot_names() const override { return {"accumulator"}; }
  double slot_start() const override { return params_.initial_accumulator_value; }
  void Step(std::span<float> values, std::span<const float> gradients, Slots slots,
            std::uint64_t step, double learning_rate) const override;

 private:
  Params params_;
};

}  // namespace weir
