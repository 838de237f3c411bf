// LAMB (You et al., 2020, "Large batch optimization for deep learning: training BERT in 76
// minutes", arXiv:1904.00962): Adam's step of each parameter, as long as the parameter is.
//
// As in Keras, weight decay is an option apart from the step (optimizer_options.h), where the paper
// adds it to what the trust ratio scales.
//
// Two slots. Thread safety as Optimizer, but an array has to be one parameter.
#pragma once

#include <array>
#include <string_view>
#include <tuple>
#include <vector>

#include "stages/train/optimizers/moment_rates.h"
#include "stages/train/optimizers/optimizer.h"

namespace weir {

class Lamb final : public Optimizer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"lamb"};
  static constexpr std::string_view kDoc =
      "Adam's step, scaled to each parameter's own norm: for large batches (You et al., 2020).";

  struct Params {
    double learning_rate = 0.001;
    MomentRates moments{};
    OptimizerOptions options{};

    static auto Fields() {
      return std::tuple_cat(std::tuple{Field{"learning_rate", &Params::learning_rate,
                                             "The size of a step, in norms of the parameter.",
                                             MoreThan{0}, LearningRateElsewhere()}},
                            FieldsOf(&Params::moments), FieldsOf(&Params::options));
    }
    void Check(const Blame& blame) const {
      moments.CheckAt(blame);
      options.CheckAt(blame, learning_rate);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit Lamb(const Params& params) : params_(Checked(params)) {}

  YamlNode ToYaml() const override {
    return WriteNamedParams(kNames.front(), weir::ToYaml(params_));
  }
  std::string_view name() const override { return kNames.front(); }
  const Params& params() const { return params_; }
  const OptimizerOptions& options() const override { return params_.options; }
  double learning_rate() const override { return params_.learning_rate; }
  std::vector<std::string_view> slot_names() const override { return {"momentum", "velocity"}; }
  bool needs_whole_parameters() const override { return true; }
  void Step(std::span<float> values, std::span<const float> gradients, Slots slots,
            std::uint64_t step, double learning_rate) const override;

 private:
  Params params_;
};

}  // namespace weir
