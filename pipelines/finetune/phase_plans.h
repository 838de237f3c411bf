// The memory bills of the phases of a training, made before any of them begins, so that the last
// one is not refused after days.
//
// One thread. Holds a session at a time beside the one that is given.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/flow/memory_plan.h"
#include "pipelines/job/session.h"

namespace weir {

struct PhasePlan {
  std::string phase{};  // its name; empty where the training has no phases
  MemoryPlan plan{};
  int frozen_layers = 0;  // of the backbone
  int layers = 0;
  std::size_t trained_values = 0;
  // Measuring the maps for int8 before it begins, which is over then; empty where none are needed.
  std::optional<MemoryPlan> calibration{};

  std::size_t smallest_bytes() const;  // the lowest ceiling that works for both
};

// Plans `session`, which is that of phases[first] and begins with `model`, null where there is
// none, and those that follow it, of the same data; those before it are over. The bill is that of
// the largest. Throws Error(kMemory), with the name of the phase, where one does not fit, or what
// is measured for int8 before it; for the phase itself the remedy has ways to make it fit.
std::vector<PhasePlan> PlanPhases(const std::vector<Recipe>& phases, int first,
                                  const std::shared_ptr<ModelSource>& model, Session& session);

// That of the highest peak, of equals the first.
const PhasePlan& LargestOf(const std::vector<PhasePlan>& plans);

// plan.json: the largest, and where there are several all of them under "phases". What is measured
// for int8 is under "calibration".
nlohmann::json ToJson(const std::vector<PhasePlan>& plans, const ChosenDevice& device);

}  // namespace weir
