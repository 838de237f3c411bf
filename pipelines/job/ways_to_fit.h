// For a job that does not fit in its ceiling: changes of its configuration with which it does; and
// for one that does, how much more of the backbone could learn. Each is planned to see that it is
// so.
//
// Reads no picture and no weights. Each candidate is a session of its own, made and planned: a few
// milliseconds, and for WaysToFit the header of the weights' file once more. One thread.
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
// block could, or it learns on a GPU, which would have to be opened for each candidate. `source` is
// the recipe's model, null where there is none; `session` is planned, and of the same data. Plans a
// candidate for each block at most. With int8 there is nothing either, as that needs a backbone
// that is frozen throughout: so no candidate has maps to be measured beforehand. Throws Error where
// it cannot be found out.
std::optional<WayToFit> MostThatCouldLearn(const Recipe& recipe, const ModelSource* source,
                                           const Session& session);

// Plans `session`, which is of `recipe`. Throws as Session::Plan, but a refusal has these ways in
// its remedy.
void PlanOrNameWays(const Recipe& recipe, Session& session);

}  // namespace weir
