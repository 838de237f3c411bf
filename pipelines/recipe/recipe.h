// A configuration file, read and checked together with the stages that it names.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/config.h"
#include "framework/error.h"
#include "framework/text.h"
#include "pipelines/recipe/stage_table.h"
#include "stages/model/model_config.h"
#include "stages/ranks/ranks.h"
#include "stages/train/training_config.h"

namespace weir {

// Everything that a run is made of, checked as far as it can be without looking at any data.
struct Recipe {
  StageTable* stages = nullptr;        // where its stages are from; it outlives this
  std::filesystem::path path;          // where it was read from
  std::vector<std::string> overrides;  // what changed its values, "training.epochs=3"
  Config config;
  bool has_model = true;  // else the pipeline has no stage that needs one, and nothing is declared
  ModelConfig model;
  TrainingConfig training;
  int phase = 0;  // where it is one phase of a training: which, from 0
  std::string phase_name{};
  std::shared_ptr<Ranks> ranks{};  // those that share its training; null where it is not shared

  // Whether a stage of it learns. A pipeline without one is run once.
  bool trains() const;
};

// Loads the plugins that the file names into `stages`. Throws Error(kConfig) with every problem of
// the file, its stages and its sections. Names on standard error what should be written otherwise.
Recipe LoadRecipe(StageTable& stages, const std::filesystem::path& path,
                  const std::vector<std::string>& overrides);
// The same, but gives the problems and says nothing.
Recipe LoadRecipe(StageTable& stages, const std::filesystem::path& path,
                  const std::vector<std::string>& overrides, Problems& problems);

// The same of a tree that says what a file would; `path` is what it is called after.
Recipe RecipeOf(StageTable& stages, const YamlNode& tree, const std::filesystem::path& path,
                const std::vector<std::string>& overrides);

// Each phase of its training as a recipe of its own, of which it gives all phases as well; the
// recipe itself where it declares none.
std::vector<Recipe> PhasesOf(const Recipe& recipe);

// How --set addresses a value of a section that a phase may set for itself:
// "training.phases.1.optimizer" where the recipe is one of several phases, else
// "training.optimizer".
std::string KeyOf(const Recipe& recipe, const std::string& section, const std::string& key);

// Does what belongs to a recipe; an Error gets the name of the phase in front, where it is one.
template <class Work>
auto InPhase(const Recipe& recipe, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (recipe.phase_name.empty()) throw;
    throw Error(error.kind(), "phase " + InBackticks(recipe.phase_name) + ": " + error.what(),
                error.remedy());
  }
}

// The configuration as it is after overrides, with every default written out and every path
// absolute. Throws Error(kConfig) where it has become too long to be read again.
std::string ResolvedYaml(const Recipe& recipe);

}  // namespace weir
