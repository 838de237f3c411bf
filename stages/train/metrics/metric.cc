// The list of metrics: what `training.metrics` may name.
#include "stages/train/metrics/metric.h"

#include <array>

#include "stages/learner.h"
#include "stages/train/metrics/accuracy.h"
#include "stages/train/metrics/average_precision.h"
#include "stages/train/metrics/class_scores.h"
#include "stages/train/metrics/expected_calibration_error.h"
#include "stages/train/metrics/roc_auc.h"
#include "stages/train/metrics/top_k.h"

namespace weir {
namespace {

// clang-format off
constexpr std::array kMetrics{
    PartOf<Metric, Accuracy>(),
    PartOf<Metric, TopK>(),
    PartOf<Metric, MacroPrecision>(),
    PartOf<Metric, MacroRecall>(),
    PartOf<Metric, MacroF1>(),
    PartOf<Metric, WeightedPrecision>(),
    PartOf<Metric, WeightedRecall>(),
    PartOf<Metric, WeightedF1>(),
    PartOf<Metric, RocAuc>(),
    PartOf<Metric, AveragePrecision>(),
    PartOf<Metric, ExpectedCalibrationError>(),
};
// clang-format on

}  // namespace

std::span<const Part<Metric>> Metric::All() { return kMetrics; }

const Metric* FindMetric(std::string_view name, const ListOfMetrics& metrics) {
  for (const auto& metric : metrics) {
    if (metric->name() == name) return metric.get();
  }
  return nullptr;
}

std::optional<bool> HigherIsBetter(std::string_view name, const ListOfMetrics& metrics) {
  if (name == Metrics::kLoss) return false;
  const Metric* const metric = FindMetric(name, metrics);
  return metric ? std::optional(metric->is_higher_better()) : std::nullopt;
}

}  // namespace weir
