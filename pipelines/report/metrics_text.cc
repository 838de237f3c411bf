#include "pipelines/report/metrics_text.h"

#include <array>
#include <cstdio>

namespace weir {

NamedFigures FiguresOf(const Metrics& metrics) {
  NamedFigures figures = {{"loss", metrics.loss()}};
  for (const Metrics::Mean& mean : metrics.means) figures.emplace_back(mean.name, mean.value());
  return figures;
}

std::string MetricsText(const NamedFigures& figures) {
  std::string text;
  for (const auto& [name, value] : figures) {
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), text.empty() ? "%.4f" : "%.3f", value);
    text += (text.empty() ? "" : "  ") + name + " " + number.data();
  }
  return text;
}

}  // namespace weir
