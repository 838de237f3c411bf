// Sets values to 0 at random in train passes, and scales up those that are kept (Srivastava et al.,
// 2014, "Dropout", inverted): inference changes nothing.
#pragma once

#include <array>
#include <tuple>

#include "framework/shape.h"
#include "stages/model/head/head_layer.h"

namespace weir {

class DropoutLayer final : public HeadLayer {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"dropout"};
  static constexpr std::string_view kDoc =
      "Sets some values to 0 and scales the rest up, in train passes.";

  struct Params {
    double rate = 0.5;

    static auto Fields() {
      return std::tuple{Field{
          "rate", &Params::rate, "The fraction of values that a train pass sets to 0; less than 1.",
          Range{0, 1}, ElsewhereCalled{"p", "drop_rate", "dropout_rate", "prob"}}};
    }
    void Check(const Blame& blame) const { CheckLessThanOne(blame, "rate", rate); }
  };

  // Throws Error(kConfig) where the rate is out of its range.
  explicit DropoutLayer(const Params& params) : params_(Checked(params)) {}

  double rate() const { return params_.rate; }

  std::string_view name() const override { return kNames.front(); }
  YamlNode ToYaml() const override { return WriteNamedParams(name(), weir::ToYaml(params_)); }
  std::string declaration() const override;
  Shape OutputDims(const Shape& input, const HeadPlace&) const override { return input; }

 private:
  Params params_;
};

}  // namespace weir
