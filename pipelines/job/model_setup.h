// From the section `model:` to what the stages start from: which weights, under which convention.
#pragma once

#include <memory>

#include "pipelines/recipe/recipe.h"
#include "stages/model/model.h"
#include "stages/model/model_config.h"

namespace weir {

enum class Fetching {
  // Weights that are named or have a URL are downloaded now, if they are not here. They stay the
  // same to the end, by a copy without a name in the cache folder, of the file's size.
  kAllowed,
  // Nothing is downloaded: what is not here is judged by its name.
  kForbidden,
};

// Throws Error(kData) where the weights cannot be had, Error(kConfig) where they are declared
// wrong. The weights' numbers are read only when the stages are opened.
std::shared_ptr<ModelSource> SetUpModel(const ModelConfig& model, Fetching fetching);

// Null where the recipe has none. Throws as SetUpModel.
std::shared_ptr<ModelSource> ModelOf(const Recipe& recipe, Fetching fetching);

}  // namespace weir
