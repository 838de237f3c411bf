// Where a training stands, as a checkpoint says it. Pure functions; any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "stages/learner.h"

namespace weir {

nlohmann::json ToJson(const TrainingPosition& position);

// Throws an std::exception where a key is missing that every version wrote, a number is impossible,
// or two of them contradict each other.
TrainingPosition PositionOf(const nlohmann::json& json);

}  // namespace weir
