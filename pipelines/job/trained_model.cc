#include "pipelines/job/trained_model.h"

#include <system_error>

#include "framework/error.h"
#include "stages/model/export/saved_model.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

void CheckIsTrainedRun(const fs::path& run) {
  if (!fs::exists(run / "config.yaml")) {
    throw Error(ErrorKind::kData, run.string() + " is not the folder of a run",
                "Give the folder that `weir run` printed: it holds config.yaml and model/.");
  }
  if (fs::exists(run / "model" / "model.json")) return;
  if (!fs::exists(run / "checkpoint")) {
    throw Error(ErrorKind::kData,
                run.string() +
                    " has no model: it ended before the first checkpoint, or its "
                    "pipeline does not train",
                "Give the folder of a run that trained.");
  }
  throw Error(ErrorKind::kData, run.string() + " has no model yet: the run was not finished",
              "Go on with `weir run " + (run / "config.yaml").string() + " --resume --out " +
                  run.string() + "`.");
}

YamlNode Stage(const char* name, const YamlNode& params) { return YamlNode::Map({{name, params}}); }

// The pipeline that a model's own description makes: pictures from a list, which commands exchange,
// by the stages that it names, to the model.
YamlNode TreeOf(const fs::path& folder) {
  const SavedModel saved = LoadSavedModel(folder);
  if (!saved.use.pictures.is_list()) {
    throw Error(ErrorKind::kData,
                folder.string() + " does not say by which stages its pictures are made ready",
                "Give the folder of the run that it is of.");
  }
  const YamlNode here = YamlNode::List({YamlNode::Scalar(".", /*quoted=*/true)});
  std::vector<YamlNode> pipeline = {Stage("list", YamlNode::Map({{"paths", here}}))};
  for (const YamlNode& stage : saved.use.pictures.items()) pipeline.push_back(stage);
  const YamlNode precision = YamlNode::Scalar(std::string(NameIn(saved.use.precision)));
  pipeline.push_back(YamlNode::Scalar("batch"));
  pipeline.push_back(Stage("features", YamlNode::Map({{"precision", precision}})));
  pipeline.push_back(YamlNode::Scalar("train"));
  ModelConfig config = saved.source.config;
  config.backbone.weights = "none";  // they lie beside the description
  return YamlNode::Map({{"pipeline", YamlNode::List(pipeline)}, {"model", ToYaml(config)}});
}

}  // namespace

TrainedModel FindTrainedModel(const fs::path& where) {
  std::error_code unknown;
  if (!fs::exists(where / "model.json", unknown)) {
    CheckIsTrainedRun(where);
    return {where / "model", where};
  }
  const fs::path parent = fs::absolute(where / "model.json").parent_path().parent_path();
  const bool is_of_run = fs::exists(parent / "config.yaml", unknown) &&
                         fs::equivalent(parent / "model", where, unknown);
  return {where, is_of_run ? parent : fs::path()};
}

Recipe RecipeOf(const TrainedModel& trained, StageTable& stages,
                const std::vector<std::string>& overrides) {
  if (!trained.run.empty()) return LoadRecipe(stages, trained.run / "config.yaml", overrides);
  return RecipeOf(stages, TreeOf(trained.model), trained.model, overrides);
}

}  // namespace weir
