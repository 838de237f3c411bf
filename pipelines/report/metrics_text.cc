#include "pipelines/report/metrics_text.h"

#include <cstdio>
#include <optional>

namespace weir {

std::string MetricsText(const Metrics& metrics) {
  char figure[40];
  std::snprintf(figure, sizeof figure, "loss %.4f", metrics.loss());
  std::string text = figure;
  metrics.ForEach([&](const std::string& name, std::optional<double> value) {
    std::snprintf(figure, sizeof figure, value ? " %.3f" : " -", value.value_or(0));
    text += "  " + name + figure;
  });
  return text;
}

std::string NotComputedText(const Metrics::OfPass& metric) {
  return metric.name + " cannot be computed: it needs " + metric.needs;
}

}  // namespace weir
