// What a recipe says of the ranks that share its training, as stages are told it.
#pragma once

#include <memory>

#include "pipelines/recipe/recipe.h"
#include "stages/ranks/ranks.h"

namespace weir {

// For the rank at `place`; `group` may be null where nothing is run. `recipe` has `ranks`. Throws
// Error(kConfig) where its batches cannot be shared by so many, or there are none.
std::shared_ptr<Ranks> RanksOf(const Recipe& recipe, const RankPlace& place,
                               std::shared_ptr<RankGroup> group);

}  // namespace weir
