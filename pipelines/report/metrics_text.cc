#include "pipelines/report/metrics_text.h"

#include <array>
#include <cstdio>

namespace weir {

NamedFigures FiguresOf(const Metrics& metrics) {
  NamedFigures figures = {{std::string(Metrics::kLoss), metrics.loss()}};
  metrics.ForEach([&](const std::string& name, std::optional<double> value) {
    figures.emplace_back(name, value);
  });
  return figures;
}

std::string MetricsText(const NamedFigures& figures) {
  std::string text;
  for (const auto& [name, value] : figures) {
    std::array<char, 32> number{};
    const char* const form = !value ? " -" : name == Metrics::kLoss ? " %.4f" : " %.3f";
    std::snprintf(number.data(), number.size(), form, value.value_or(0));
    text += (text.empty() ? "" : "  ") + name + number.data();
  }
  return text;
}

std::string NotComputedText(const Metrics::OfPass& metric) {
  return metric.name + " cannot be computed: it needs " + metric.needs;
}

}  // namespace weir
