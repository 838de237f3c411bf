// The figures of a pass as a line for people.
//
// Pure functions; any thread.
#pragma once

#include <string>

#include "stages/learner.h"

namespace weir {

// "loss 0.1234  accuracy 0.987  roc_auc -": where there is none, it could not be computed.
std::string MetricsText(const Metrics& metrics);

// "roc_auc cannot be computed: it needs pictures of two classes".
std::string NotComputedText(const Metrics::OfPass& metric);

}  // namespace weir
