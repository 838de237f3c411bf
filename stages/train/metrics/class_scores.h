// Precision, recall and F1 as one number for all classes: the mean of each over the classes
// (macro), or by the number of their pictures (weighted). A class that was never predicted has a
// precision of 0, one without pictures a recall of 0, and each counts in the macro mean; as
// scikit-learn's precision_recall_fscore_support(labels=all classes, zero_division=0).
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

// One of the six: `Row` has the name and the doc.
template <class Row, MeanScores (*MeanOf)(std::span<const ClassTally>), double MeanScores::*Score>
class ClassScore final : public PassMetric {
 public:
  static constexpr std::array<std::string_view, 1> kNames{Row::kName};
  static constexpr std::string_view kDoc = Row::kDoc;
  struct Params {
    static auto Fields() { return std::tuple{}; }
  };

  ClassScore() = default;
  explicit ClassScore(const Params&) {}

  YamlNode ToYaml() const override { return YamlNode::Scalar(std::string(Row::kName)); }
  std::string_view name() const override { return Row::kName; }
  std::optional<double> Of(const PredictionView& view) const override {
    return MeanOf(view.tallies).*Score;
  }
};

struct MacroPrecisionRow {
  static constexpr std::string_view kName = "macro_precision";
  static constexpr std::string_view kDoc =
      "The mean over the classes of the part that is right of what is taken for the class.";
};
struct MacroRecallRow {
  static constexpr std::string_view kName = "macro_recall";
  static constexpr std::string_view kDoc =
      "The mean over the classes of the part that is found of the class.";
};
struct MacroF1Row {
  static constexpr std::string_view kName = "macro_f1";
  static constexpr std::string_view kDoc =
      "The mean over the classes of the harmonic mean of precision and recall.";
};
struct WeightedPrecisionRow {
  static constexpr std::string_view kName = "weighted_precision";
  static constexpr std::string_view kDoc =
      "As macro_precision, but each class counts by its pictures.";
};
struct WeightedRecallRow {
  static constexpr std::string_view kName = "weighted_recall";
  static constexpr std::string_view kDoc =
      "As macro_recall, but each class counts by its pictures.";
};
struct WeightedF1Row {
  static constexpr std::string_view kName = "weighted_f1";
  static constexpr std::string_view kDoc = "As macro_f1, but each class counts by its pictures.";
};

using MacroPrecision = ClassScore<MacroPrecisionRow, MacroScores, &MeanScores::precision>;
using MacroRecall = ClassScore<MacroRecallRow, MacroScores, &MeanScores::recall>;
using MacroF1 = ClassScore<MacroF1Row, MacroScores, &MeanScores::f1>;
using WeightedPrecision = ClassScore<WeightedPrecisionRow, WeightedScores, &MeanScores::precision>;
using WeightedRecall = ClassScore<WeightedRecallRow, WeightedScores, &MeanScores::recall>;
using WeightedF1 = ClassScore<WeightedF1Row, WeightedScores, &MeanScores::f1>;

}  // namespace weir
