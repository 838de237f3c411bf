// The flow of a pipeline as a picture: its stages, what travels between them, and what each holds
// by the plan. As Graphviz' DOT, or drawn as SVG.
//
// Pure functions.
#pragma once

#include <string>
#include <vector>

#include "framework/flow/any_stage.h"
#include "framework/flow/memory_plan.h"

namespace weir {

struct FlowDrawing {
  struct Box {
    std::string name;
    std::vector<std::string> lines;  // "map, parallel", "8 samples on their way: 12.6 MiB"
    std::vector<int> from;
    std::vector<std::string> types;  // the port type that it takes from each
  };
  std::vector<Box> boxes;  // each behind those that it takes from
};

FlowDrawing DrawFlow(const std::vector<PlacedStage>& stages, const MemoryPlan& plan);

std::string ToDot(const FlowDrawing& drawing);
std::string ToSvg(const FlowDrawing& drawing);

}  // namespace weir
