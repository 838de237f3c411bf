#include "pipelines/report/plan_text.h"

#include <nlohmann/json.hpp>

#include "framework/byte_size.h"

namespace weir {

using nlohmann::json;

std::string DeviceText(const ChosenDevice& chosen) {
  if (!chosen.device) return "device: cpu, as " + chosen.reason;
  const MemoryUsage usage = chosen.device->usage();
  return "device: " + chosen.device->name() + ", as " + chosen.reason + "; its ceiling is " +
         ToRoundText(ByteSize{usage.limit_bytes}) + ", of which " +
         ToRoundText(ByteSize{usage.used_bytes}) + " are in use";
}

std::string WhyText(const MemoryPlan& plan) {
  const std::size_t peak = plan.peak_bytes();
  std::string text;
  for (const PlanRow& row : plan.rows) {
    if (row.why.empty()) continue;
    text += "  " + row.stage + ": " + row.CountText() + " " + row.what + ": " + row.why;
    if (row.is_short()) {
      text += "; one more takes " + ToRoundText(ByteSize{row.bytes_each}) + ", and " +
              ToRoundText(ByteSize{plan.limit_bytes - peak}) + " are left";
    }
    text += "\n";
  }
  return text;
}

json ToJson(const MemoryPlan& plan, const ChosenDevice& chosen) {
  json rows = json::array();
  for (const PlanRow& row : plan.rows) {
    rows.push_back({{"stage", row.stage},
                    {"what", row.what},
                    {"tag", Name(row.tag)},
                    {"bytes_each", row.bytes_each},
                    {"count", row.count},
                    {"useful_count", row.useful},
                    {"bytes", row.bytes()}});
    if (!row.why.empty()) rows.back()["why"] = row.why;
  }
  json device = {{"name", chosen.device ? chosen.device->name() : "cpu"},
                 {"reason", chosen.reason}};
  if (chosen.device) device["limit_bytes"] = chosen.device->usage().limit_bytes;
  return {{"limit_bytes", plan.limit_bytes},
          {"peak_bytes", plan.peak_bytes()},
          {"smallest_bytes", plan.smallest_bytes},
          {"enough_bytes", plan.enough_bytes},
          {"device", device},
          {"rows", rows}};
}

json ToShortJson(const MemoryPlan& plan) {
  return {{"peak_bytes", plan.peak_bytes()}, {"smallest_bytes", plan.smallest_bytes}};
}

}  // namespace weir
