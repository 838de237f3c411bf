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

TrainedSession::TrainedSession(StageTable& stages, const fs::path& where,
                               const std::vector<std::string>& overrides,
                               const TrainedOptions& options)
    : TrainedSession(FindTrainedModel(where), stages, overrides, options) {}

TrainedSession::TrainedSession(const TrainedModel& trained, StageTable& stages,
                               const std::vector<std::string>& overrides,
                               const TrainedOptions& options)
    : TrainedSession(trained, RecipeOf(trained, stages, overrides), options) {}

TrainedSession::TrainedSession(const TrainedModel& trained, Recipe recipe,
                               const TrainedOptions& options)
    : split_(SplitOf(options.data)) {
  const Registry& stages = recipe.stages->registry();
  TrainingConfig measuring;  // the plain loss measures, whatever it was trained with
  measuring.metrics = std::move(recipe.training.metrics);
  recipe.training = std::move(measuring);
  SavedModel saved = LoadSavedModel(trained.model);
  const auto classes = std::make_shared<Classes>(Classes{std::move(saved.classes)});
  classes_ = classes;
  const StageConfig& own = recipe.config.pipeline.front();
  const StageSpec& source =
      options.data ? SourceFor(*options.data, stages, own) : *stages.Find(own.stage);
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
    const fs::path& where = trained.run.empty() ? trained.model : trained.run;
    throw Error(ErrorKind::kData, where.string() + " has a pipeline without the stage `train`");
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
