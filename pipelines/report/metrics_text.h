// The figures of a pass as a line for people.
//
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stages/learner.h"

namespace weir {

// By name, "loss" first, then the metrics in their order; empty where one could not be computed.
using NamedFigures = std::vector<std::pair<std::string, std::optional<double>>>;
NamedFigures FiguresOf(const Metrics& metrics);

// "loss 0.1234  accuracy 0.987  roc_auc -": where there is none, it could not be computed.
std::string MetricsText(const NamedFigures& figures);

// "roc_auc cannot be computed: it needs pictures of two classes".
std::string NotComputedText(const Metrics::OfPass& metric);

}  // namespace weir
