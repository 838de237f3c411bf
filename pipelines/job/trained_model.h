// Where a trained model lies, and the recipe that uses it: the run's own, or, of a model folder
// alone, what that says of itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipelines/recipe/recipe.h"

namespace weir {

struct TrainedModel {
  std::filesystem::path model;  // the folder with model.json
  std::filesystem::path run;    // that of the run, with config.yaml; empty where it lies alone
};

// `where` is the folder of a run, its model/, or a copy of that anywhere. Throws Error(kData) where
// it is none of them, or the run holds no model.
TrainedModel FindTrainedModel(const std::filesystem::path& where);

// Throws Error(kData) where the model lies alone and does not say how its pictures are made ready,
// Error(kConfig) as LoadRecipe.
Recipe RecipeOf(const TrainedModel& trained, StageTable& stages,
                const std::vector<std::string>& overrides);

}  // namespace weir
