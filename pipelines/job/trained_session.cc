#include "pipelines/job/trained_session.h"

#include <utility>

#include "framework/error.h"
#include "stages/model/export/saved_model.h"

namespace weir {

namespace fs = std::filesystem;

Split SplitOf(const std::optional<GivenData>& data) {
  if (!data) return Split::kValidation;
  return data->use == DataUse::kLabelled ? Split::kTest : Split::kPredict;
}

void CheckIsTrainedRun(const fs::path& run) {
  if (!fs::exists(run / "config.yaml")) {
    throw Error(ErrorKind::kData, run.string() + " is not the folder of a run",
                "Give the folder that `weir run` printed: it holds config.yaml and model/.");
  }
  if (!fs::exists(run / "model" / "model.json")) {
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
}

TrainedSession::TrainedSession(StageTable& stages, const fs::path& run,
                               const std::vector<std::string>& overrides,
                               const TrainedOptions& options)
    : split_(SplitOf(options.data)) {
  CheckIsTrainedRun(run);
  Recipe recipe = LoadRecipe(stages, run / "config.yaml", overrides);
  TrainingConfig measuring;  // the plain loss measures, whatever it was trained with
  measuring.metrics = std::move(recipe.training.metrics);
  recipe.training = std::move(measuring);
  SavedModel saved = LoadSavedModel(run / "model");
  const auto classes = std::make_shared<Classes>(Classes{std::move(saved.classes)});
  classes_ = classes;
  const StageConfig& own = recipe.config.pipeline.front();
  const StageSpec& source = options.data ? SourceFor(*options.data, stages.registry(), own)
                                         : *stages.registry().Find(own.stage);
  const bool names_classes = Declares(source.provides, Classes::kResource);
  session_ = std::make_unique<Session>(
      recipe,
      SessionOptions{.training = false,
                     .split = split_,
                     .model = std::make_shared<ModelSource>(std::move(saved.source)),
                     .source = options.data ? SourceOf(source, *options.data, own, classes->names)
                                            : OwnSource(source, own, classes->names),
                     .sink_in_place_of = options.sink_in_place_of,
                     .add_sink = options.add_sink,
                     .classes = names_classes ? nullptr : classes,
                     .confusion = options.confusion,
                     .bootstrap = options.bootstrap,
                     .on_drop = options.on_drop});
  const auto provided = session_->resources().Find<Classes>();
  if (provided && provided->names == classes_->names) classes_ = provided;  // one list is enough
  learner_ = session_->resources().Find<Learner>();
  if (!learner_ && !options.add_sink) {
    throw Error(ErrorKind::kData, run.string() + " has a pipeline without the stage `train`");
  }
  session_->Open();
}

void TrainedSession::Run() {
  session_->RunUnshown({.split = split_});  // the predictions go to standard output
  if (session_->pipeline().stopped()) {
    throw Error(ErrorKind::kInterrupted, "interrupted", "What is printed above is complete.");
  }
}

}  // namespace weir
