// The figures of a pass as people read them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "stages/learner.h"

namespace weir {

// By name, "loss" first, then the metrics in their order.
using NamedFigures = std::vector<std::pair<std::string, double>>;
NamedFigures FiguresOf(const Metrics& metrics);

// "loss 0.1234  accuracy 0.987".
std::string MetricsText(const NamedFigures& figures);

}  // namespace weir
