// Stochastic gradient descent, plain, with momentum, or with Nesterov's (Sutskever et al., 2013,
// "On the importance of initialization and momentum in deep learning").
//
// No slots without momentum, one with it. Thread safety as Optimizer.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "stages/train/optimizers/optimizer.h"

namespace weir {

class Sgd final : public Optimizer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"sgd"};
  static constexpr std::string_view kDoc =
      "Steps along the gradient, with momentum where that is set.";

  struct Params {
    double learning_rate = 0.01;
    double momentum = 0;
    bool nesterov = false;
    OptimizerOptions options{};

    static auto Fields() {
      return std::tuple_cat(
          std::tuple{
              Field{"learning_rate", &Params::learning_rate,
                    "The size of a step (PyTorch's default is 0.001).", MoreThan{0},
                    LearningRateElsewhere()},
              Field{"momentum", &Params::momentum,
                    "How much of the last step goes into the next; less than 1.", Range{0, 1}},
              Field{"nesterov", &Params::nesterov, "Nesterov's momentum."}},
          FieldsOf(&Params::options));
    }
    void Check(const Blame& blame) const {
      CheckLessThanOne(blame, "momentum", momentum);
      if (nesterov && momentum == 0) blame("nesterov", "`nesterov` needs a `momentum` above 0");
      options.CheckAt(blame, learning_rate);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit Sgd(const Params& params) : params_(Checked(params)) {}

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
