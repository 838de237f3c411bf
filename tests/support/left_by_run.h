// What a run has left in its folder, as tests compare it. Files that are not there are no match for
// each other: the test fails where there is nothing to compare.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/file_text.h"

namespace weir {

// The bytes of the weights of its model.
inline std::string WeightsIn(const std::filesystem::path& run) {
  std::string weights = FileText(run / "model/model.safetensors");
  EXPECT_FALSE(weights.empty()) << run << " has no weights";
  return weights;
}

// The bytes of its weights, and all that stands beside them of what they are.
inline std::string ModelIn(const std::filesystem::path& run) {
  const std::string description = FileText(run / "model/model.json");
  EXPECT_FALSE(description.empty()) << run << " has no model.json";
  return WeightsIn(run) + description;
}

inline nlohmann::json SummaryIn(const std::filesystem::path& run) {
  return nlohmann::json::parse(FileText(run / "summary.json"));
}

// The lines of metrics.jsonl, all or those of one split.
inline std::vector<nlohmann::json> MetricsIn(const std::filesystem::path& run,
                                             const std::string& split = "") {
  std::vector<nlohmann::json> lines;
  std::istringstream text(FileText(run / "metrics.jsonl"));
  for (std::string line; std::getline(text, line);) {
    nlohmann::json parsed = nlohmann::json::parse(line);
    if (split.empty() || parsed["split"] == split) lines.push_back(std::move(parsed));
  }
  EXPECT_FALSE(lines.empty()) << run << " has no figures";
  return lines;
}

}  // namespace weir
