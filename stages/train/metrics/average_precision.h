// Average precision: the sum over the probabilities, from the highest down, of the precision of
// what is at least as probable, times what it adds to the recall. Of two classes that of the
// second, else the mean over the classes, each against the rest: scikit-learn's
// average_precision_score(average="macro"), which does not interpolate. A class without pictures,
// or without others, is left out of the mean.
//
// Thread safety and memory as Metric.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "stages/train/metrics/metric.h"

namespace weir {

class AveragePrecision final : public PassMetric {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"average_precision"};
  static constexpr std::string_view kDoc =
      "The area under the curve of precision against recall: of two classes that of the second, "
      "else the mean over the classes, each against the rest; a class without pictures is left "
      "out.";
  struct Params {
    static auto Fields() { return std::tuple{}; }
  };

  AveragePrecision() = default;
  explicit AveragePrecision(const Params&) {}

  YamlNode ToYaml() const override { return YamlNode::Scalar(std::string(kNames.front())); }
  std::string_view name() const override { return kNames.front(); }
  bool needs_rankings() const override { return true; }
  std::optional<double> Of(const PredictionView& view) const override;
  std::string_view needs() const override { return "pictures of two classes"; }
};

}  // namespace weir
