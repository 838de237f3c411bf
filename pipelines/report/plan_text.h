// What is planned, in words and as JSON. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "framework/flow/memory_plan.h"
#include "stages/device/device.h"

namespace weir {

// "device: cpu, as there is no NVIDIA driver here (/dev/nvidiactl is missing)"
std::string DeviceText(const ChosenDevice& chosen);

// Why each count of the bill is what it is, a line each: as many as are of use, or fewer where the
// ceiling leaves no room.
std::string WhyText(const MemoryPlan& plan);

// The bill, which device was taken and why: what `weir plan --json` prints and plan.json holds.
nlohmann::json ToJson(const MemoryPlan& plan, const ChosenDevice& chosen);

// A bill's peak and the lowest ceiling that works, and no more: what is said of work beside
// the run.
nlohmann::json ToShortJson(const MemoryPlan& plan);

}  // namespace weir
