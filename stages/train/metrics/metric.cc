// The list of metrics: what `training.metrics` may name.
#include "stages/train/metrics/metric.h"

#include <array>
#include <string>

#include "stages/train/metrics/accuracy.h"

namespace weir {
namespace {

// clang-format off
constexpr std::array kMetrics{
    kAccuracy,
};
// clang-format on

}  // namespace

std::span<const Metric> Metric::All() { return kMetrics; }

std::string_view Metric::Doc() {
  static const std::string doc = [] {
    std::string text = "What is reported beside the loss: ";
    for (const Metric& metric : kMetrics) {
      text += std::string(metric.name) + ", " + std::string(metric.doc) + "; ";
    }
    return text + "accuracy always is.";
  }();
  return doc;
}

}  // namespace weir
