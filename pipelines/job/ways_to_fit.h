// For a job that does not fit in its ceiling: changes of its configuration with which it does, each
// planned to see that it is so.
//
// Opens the weights' file to see their shapes, reads no picture. Milliseconds.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/error.h"
#include "pipelines/job/session.h"

namespace weir {

struct WayToFit {
  std::string change;            // "pipeline.batch.size: 8 in place of 32"
  std::size_t smallest_bytes{};  // the lowest ceiling that works with it
};

// Those that change no result come first, then those that change the least; at most three, none
// where no such change is enough. `session` is the one that does not fit.
std::vector<WayToFit> WaysToFit(const std::filesystem::path& config,
                                const std::vector<std::string>& overrides, const Session& session);

// The refusal of a plan with these ways in its remedy; any other error as it is. Throws Error where
// the plan cannot be made once more.
Error WithWaysToFit(const Error& refusal, const std::filesystem::path& config,
                    const std::vector<std::string>& overrides, Session& session);

}  // namespace weir
