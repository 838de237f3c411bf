#include "pipelines/finetune/phase_job.h"

#include <utility>

#include "framework/error.h"
#include "pipelines/job/calibrate.h"
#include "pipelines/job/data_check.h"
#include "stages/model/export/saved_model.h"
#include "stages/payloads.h"

namespace weir {

std::shared_ptr<ModelSource> ModelOfPhase(const Recipe& recipe,
                                          const std::filesystem::path& folder) {
  return ForPhase(recipe, LoadSavedModel(folder).source);
}

std::shared_ptr<ModelSource> ForPhase(const Recipe& recipe, const ModelSource& source) {
  auto of_phase = std::make_shared<ModelSource>(source);
  of_phase->config = recipe.model;
  of_phase->config.preprocessing = source.config.preprocessing;
  of_phase->config.backbone.weights = source.config.backbone.weights;
  of_phase->maps = nullptr;  // what learnt since changed them
  return of_phase;
}

PhaseJob::PhaseJob(const Recipe& recipe, std::shared_ptr<ModelSource> model,
                   std::optional<std::size_t> reserve_bytes, Trace* trace)
    : recipe_(recipe),
      model_(std::move(model)),
      session_(recipe,
               {.training = true, .model = model_, .reserve_bytes = reserve_bytes, .trace = trace}),
      learner_(session_.resources().Find<Learner>()) {
  if (learner_) return;
  throw Error(ErrorKind::kConfig, "the pipeline does not train",
              "End it with the stage `train`, or use `weir predict` or `weir evaluate`.");
}

void PhaseJob::Open() {
  about_data_ = CheckDataOfRun(session_, /*trains=*/true);
  if (CalibrationSession::IsNeeded(session_)) {
    model_->maps = CalibrationSession(recipe_, model_).Run();
  }
  session_.Open();
}

std::vector<std::string> PhaseJob::about_model() const {
  return model_->about ? model_->about(model()) : std::vector<std::string>();
}

std::uint64_t PhaseJob::Count(Split split) const {
  const auto counts = session_.resources().Find<SampleCounts>();
  return counts ? (*counts)[split] : 0;
}

}  // namespace weir
