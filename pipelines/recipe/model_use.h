// How the model at the end of a recipe's pipeline is used, told from the pipeline alone: so that
// one who has the model and not the recipe can do the same.
#pragma once

#include <optional>

#include "pipelines/recipe/recipe.h"
#include "stages/model/export/model_description.h"

namespace weir {

// How exactly the backbone computes where the pipeline ends in weir's own `features` with `train`
// directly behind it; empty where it ends otherwise.
std::optional<Precision> PrecisionAtEnd(const Recipe& recipe);

// Its pictures are null where that is empty, where a picture comes on more than one way, or where a
// plugin's stage changes batches.
ModelUse UseOf(const Recipe& recipe);

}  // namespace weir
