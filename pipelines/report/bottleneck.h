// Where the time of a run went: which stage the threads were busy with.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/graph/pipeline.h"

namespace weir {

// The part of the threads' time that each stage took, the largest first; the last is what they
// were idle. `seconds` is the time of the passes, during which there were `workers` threads.
std::vector<std::pair<std::string, double>> SharesOfTime(
    const std::vector<Pipeline::Figures>& figures, double seconds, int workers);

// "bottleneck: features, 82 % of the time of 2 threads (decode 8 %, augment 5 %, ..., idle 2 %)";
// stages of less than half a percent are left out. Empty where no time went by.
std::string BottleneckText(const std::vector<std::pair<std::string, double>>& shares, int workers);

}  // namespace weir
