// RMSprop (Tieleman and Hinton, 2012, lecture 6.5 of "Neural networks for machine learning"), plain
// or with momentum.
//
// One slot, with momentum two. Thread safety as Optimizer.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "stages/train/optimizers/optimizer.h"

namespace weir {

class Rmsprop final : public Optimizer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"rmsprop"};
  static constexpr std::string_view kDoc =
      "Steps by the gradient over the root of its mean square (Tieleman and Hinton, 2012).";

  struct Params {
    double learning_rate = 0.001;
    double rho = 0.9;
    double momentum = 0;
    double epsilon = 1e-7;
    OptimizerOptions options{};

    static auto Fields() {
      return std::tuple_cat(
          std::tuple{
              Field{"learning_rate", &Params::learning_rate,
                    "The size of a step (PyTorch's default is 0.01).", MoreThan{0},
                    LearningRateElsewhere()},
              Field{"rho", &Params::rho,
                    "How much of the mean squared gradient a step keeps; less than 1 (PyTorch "
                    "calls it alpha, by default 0.99).",
                    Range{0, 1}, ElsewhereCalled{"alpha", "smoothing_constant"}},
              Field{"momentum", &Params::momentum,
                    "How much of the last step goes into the next; less than 1.", Range{0, 1}},
              Field{"epsilon", &Params::epsilon,
                    "Added to the mean squared gradient (PyTorch's default is 1e-8).", MoreThan{0},
                    EpsilonElsewhere()}},
          FieldsOf(&Params::options));
    }
    void Check(const Blame& blame) const {
      CheckLessThanOne(blame, "rho", rho);
      CheckLessThanOne(blame, "momentum", momentum);
      CheckIsFloat32(blame, "epsilon", epsilon);
      options.CheckAt(blame, learning_rate);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit Rmsprop(const Params& params) : params_(Checked(params)) {}

  YamlNode ToYaml() const override {
    return WriteNamedParams(kNames.front(), weir::ToYaml(params_));
  }
  std::string_view name() const override { return kNames.front(); }
  const Params& params() const { return params_; }
  const OptimizerOptions& options() const override { return params_.options; }
  bool has_momentum() const { return params_.momentum > 0; }
  double learning_rate() const override { return params_.learning_rate; }
  std::string declaration() const override;
  std::vector<std::string_view> slot_names() const override;
  void Step(std::span<float> values, std::span<const float> gradients, Slots slots,
            std::uint64_t step, double learning_rate) const override;

 private:
  Params params_;
};

}  // namespace weir
