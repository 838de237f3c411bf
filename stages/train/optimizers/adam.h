// Adam (Kingma and Ba, 2015, arXiv:1412.6980), and AdamW, which is Adam with weight decay by
// default (Loshchilov and Hutter, 2019, arXiv:1711.05101).
//
// Two slots. Thread safety as Optimizer.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "stages/train/optimizers/moment_rates.h"
#include "stages/train/optimizers/optimizer.h"

namespace weir {

template <bool kDecays>
class AdamOptimizer final : public Optimizer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{kDecays ? "adamw" : "adam"};
  static constexpr std::string_view kDoc =
      kDecays ? "Adam with weight decay, 0.004 by default (Loshchilov and Hutter, 2019)."
              : "Steps by the mean gradient over the root of its mean square (Kingma and Ba, "
                "2015).";

  struct Params {
    double learning_rate = 0.001;
    MomentRates moments{};
    OptimizerOptions options{.weight_decay = kDecays ? 0.004 : 0};

    static auto Fields() {
      return std::tuple_cat(
          std::tuple{Field{"learning_rate", &Params::learning_rate, "The size of a step.",
                           MoreThan{0}, LearningRateElsewhere()}},
          FieldsOf(&Params::moments), FieldsOf(&Params::options));
    }
    void Check(const Blame& blame) const {
      moments.CheckAt(blame);
      options.CheckAt(blame, learning_rate);
    }
  };

  // Throws Error(kConfig) where a number is out of its range.
  explicit AdamOptimizer(const Params& params) : params_(Checked(params)) {}

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

 private:
  Params params_;
};

using Adam = AdamOptimizer<false>;
using AdamW = AdamOptimizer<true>;

}  // namespace weir
