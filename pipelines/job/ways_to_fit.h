// For a job that does not fit in its ceiling: changes of its configuration with which it does; and
// for one that does, how much more of the backbone could learn. Each is planned to see that it is
// so.
//
// Opens the weights' file to see their shapes, reads no picture. Milliseconds.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/job/session.h"

namespace weir {

struct WayToFit {
  std::string change;            // "pipeline.batch.size: 8 in place of 32"
  std::size_t smallest_bytes{};  // the lowest ceiling that works with it
};

// Those that change no result come first, then those that change the least; at most three, none
// where no such change is enough. `session` is the one that does not fit.
std::vector<WayToFit> WaysToFit(const Recipe& recipe, const Session& session);

// The earliest block of the backbone from which on all could learn within the ceiling, as a change
// of `frozen`, which may be what it is now; nothing where no model learns, or not even the last
// block could. `session` is planned. Throws Error where that cannot be found out.
std::optional<WayToFit> MostThatCouldLearn(const Recipe& recipe, const Session& session);

// Plans `session`, which is of `recipe`. Throws as Session::Plan, but a refusal has these ways in
// its remedy.
void PlanOrNameWays(const Recipe& recipe, Session& session);

}  // namespace weir
