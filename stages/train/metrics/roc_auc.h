// The area under the curve of true against false positives: how likely a picture of the class has a
// higher probability of it than one of another class, where equal ones count half (Hanley and
// McNeil, 1982). Of two classes that of the second, else the mean over the classes, each against
// the rest: scikit-learn's roc_auc_score(multi_class="ovr"). A class without pictures, or without
// others, is left out of the mean.
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

class RocAuc final : public PassMetric {
 public:
  static constexpr std::array<std::string_view, 1> kNames{"roc_auc"};
  static constexpr std::string_view kDoc =
      "The area under the ROC curve: of two classes that of the second, else the mean over the "
      "classes, each against the rest; a class without pictures is left out.";
  struct Params {
    static auto Fields() { return std::tuple{}; }
  };

  RocAuc() = default;
  explicit RocAuc(const Params&) {}

  YamlNode ToYaml() const override { return YamlNode::Scalar(std::string(kNames.front())); }
  std::string_view name() const override { return kNames.front(); }
  bool needs_rankings() const override { return true; }
  std::optional<double> Of(const PredictionView& view) const override;
  std::string_view needs() const override { return "pictures of two classes"; }
};

}  // namespace weir
