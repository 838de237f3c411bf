#include "pipelines/recipe/recipe.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "framework/byte_size.h"
#include "framework/config/config_tree.h"
#include "framework/config/suggestion.h"
#include "framework/config/yaml_emitter.h"
#include "framework/config/yaml_reader.h"
#include "framework/error.h"
#include "framework/text.h"
#include "pipelines/recipe/foreign_words.h"
#include "pipelines/recipe/job_device.h"
#include "pipelines/recipe/recipe_ranks.h"
#include "stages/learner.h"
#include "stages/model/model.h"

namespace weir {
namespace {

const std::vector<std::string> kSections = {"model", "training"};

void CheckStages(const Config& config, const Registry& stages, Problems& problems) {
  for (const StageConfig& stage : config.pipeline) {
    const StageSpec* spec = stages.Find(stage.stage);
    if (!spec) {
      const ForeignWord* row = FindForeignWord(problems.foreign_words(), "pipeline", stage.stage);
      problems.Add(stage.position, row ? AdviceOn(*row, stage.stage, "", AdviceForm::kYaml)
                                       : "there is no stage " + InBackticks(stage.stage) +
                                             DidYouMean(stage.stage, stages.names()));
      continue;
    }
    spec->check(stage.params, problems);
  }
}

// Whether a stage of the pipeline declares that resource.
bool AnyDeclares(const Recipe& recipe, std::vector<ResourceUse> StageSpec::*uses,
                 std::string_view resource) {
  const std::vector<StageConfig>& stages = recipe.config.pipeline;
  return std::any_of(stages.begin(), stages.end(), [&](const StageConfig& placed) {
    const StageSpec* spec = recipe.stages->registry().Find(placed.stage);
    return spec && Declares(spec->*uses, resource);
  });
}

// What belongs to `config`, which is read already, beside it.
void Complete(Recipe& recipe, Problems& problems) {
  if (recipe.config.name.empty()) return;  // not one key could be read
  recipe.stages->Load(recipe.config.plugins);
  CheckStages(recipe.config, recipe.stages->registry(), problems);
  CheckDevice(recipe.config, recipe.stages->registry(), problems);
  recipe.has_model = !recipe.config.Section("model").is_null() ||
                     AnyDeclares(recipe, &StageSpec::needs, ModelSource::kResource);
  if (recipe.has_model) recipe.model = ParseModel(recipe.config.Section("model"), problems);
  recipe.training = ParseTraining(recipe.config.Section("training"), problems);
}

// Says what should be written otherwise, and throws what is wrong.
void Settle(Recipe& recipe, const Problems& problems) {
  for (const std::string& warning : problems.warnings()) {
    std::fprintf(stderr, "weir: %s\n", warning.c_str());
  }
  problems.ThrowIfAny();
  if (recipe.config.ranks && recipe.trains()) recipe.ranks = RanksOf(recipe, {}, nullptr);
}

}  // namespace

bool Recipe::trains() const { return AnyDeclares(*this, &StageSpec::provides, Learner::kResource); }

Recipe LoadRecipe(StageTable& stages, const std::filesystem::path& path,
                  const std::vector<std::string>& overrides, Problems& problems) {
  problems.set_foreign_words(ForeignWords());
  Recipe recipe;
  recipe.stages = &stages;
  recipe.path = path;
  recipe.overrides = overrides;
  recipe.config = LoadConfig(path, overrides, kSections, problems);
  Complete(recipe, problems);
  return recipe;
}

Recipe LoadRecipe(StageTable& stages, const std::filesystem::path& path,
                  const std::vector<std::string>& overrides) {
  Problems problems;
  Recipe recipe = LoadRecipe(stages, path, overrides, problems);
  Settle(recipe, problems);
  return recipe;
}

Recipe RecipeOf(StageTable& stages, const YamlNode& tree, const std::filesystem::path& path,
                const std::vector<std::string>& overrides) {
  Problems problems;
  problems.set_foreign_words(ForeignWords());
  Recipe recipe;
  recipe.stages = &stages;
  recipe.path = path;
  recipe.overrides = overrides;
  recipe.config = ConfigOf(tree, path, overrides, kSections, problems);
  Complete(recipe, problems);
  Settle(recipe, problems);
  return recipe;
}

std::vector<Recipe> PhasesOf(const Recipe& recipe) {
  if (recipe.training.phases.empty()) return {recipe};
  std::vector<Recipe> phases;
  for (const PhaseConfig& phase : recipe.training.phases) {
    Recipe of_phase = recipe;
    of_phase.phase = static_cast<int>(phases.size());
    of_phase.phase_name = phase.name;
    static_cast<LearningConfig&>(of_phase.training) = phase;
    if (phase.frozen) of_phase.model.frozen = *phase.frozen;
    if (phase.batch_norm) of_phase.model.backbone.batch_norm = *phase.batch_norm;
    phases.push_back(std::move(of_phase));
  }
  return phases;
}

std::string KeyOf(const Recipe& recipe, const std::string& section, const std::string& key) {
  if (recipe.phase_name.empty()) return section + "." + key;
  return "training.phases." + std::to_string(recipe.phase) + "." + key;
}

std::string ResolvedYaml(const Recipe& recipe) {
  Config config = recipe.config;
  for (StageConfig& stage : config.pipeline) {
    stage.params = recipe.stages->registry().Find(stage.stage)->resolve(stage.params);
  }
  if (recipe.has_model) config.sections.insert_or_assign("model", ToYaml(recipe.model));
  if (recipe.trains()) config.sections.insert_or_assign("training", ToYaml(recipe.training));
  const YamlNode resolved = ToYaml(config);
  std::string text = EmitYaml(resolved);
  if (text.size() > kLargestConfigBytes || resolved.expanded_size() > kMostExpandedValues) {
    throw Error(ErrorKind::kConfig,
                "the configuration has " + std::to_string(resolved.expanded_size()) +
                    " values and " + ToRoundText(ByteSize{text.size()}) +
                    " of text once all is written out: `predict` and `--resume` could not read it "
                    "again, as " +
                    std::to_string(kMostExpandedValues) + " values and " +
                    ToRoundText(ByteSize{kLargestConfigBytes}) + " are the most",
                "Give long lists as a folder, a range or a table: photos-{0000..9999}.tar.");
  }
  return text;
}

}  // namespace weir
