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

PhaseJob::PhaseJob(const Recipe& recipe, std::shared_ptr<ModelSource> model, const Session* first,
                   Trace* trace)
    : recipe_(recipe),
      model_(std::move(model)),
      first_(first),
      session_(std::make_unique<Session>(
          recipe,
          SessionOptions{.training = true,
                         .model = model_,
                         .listed = first,
                         .allowance = first ? std::optional(first->allowance()) : std::nullopt,
                         .trace = trace})),
      learner_(session_->resources().Find<Learner>()) {
  if (learner_) return;
  throw Error(ErrorKind::kConfig, "the pipeline does not train",
              "End it with the stage `train`, or use `weir predict` or `weir evaluate`.");
}

// What the learner holds is leased of the session, and so ends before it.
std::unique_ptr<const Session> PhaseJob::End(std::unique_ptr<PhaseJob> job) {
  std::unique_ptr<Session> session = std::move(job->session_);
  job.reset();
  session->EndBehindSource();
  return session;
}

void PhaseJob::Open() {
  about_data_ = CheckDataOfRun(*session_, /*trains=*/true);
  if (CalibrationSession::IsNeeded(*session_)) {
    if (!first_) session_->OpenSource();
    const Session& listed = first_ ? *first_ : *session_;
    model_->maps = CalibrationSession(recipe_, model_, listed, listed.allowance()).Run();
  }
  session_->Open();
}

std::vector<std::string> PhaseJob::about_model() const {
  return model_->about ? model_->about(model()) : std::vector<std::string>();
}

std::uint64_t PhaseJob::Count(Split split) const {
  const auto counts = session_->resources().Find<SampleCounts>();
  return counts ? (*counts)[split] : 0;
}

bool PhaseJob::keeps_best() const {
  const bool validates = Count(Split::kValidation) > 0;
  return recipe_.training.keep.value_or(validates ? KeptModel::kBest : KeptModel::kLast) ==
         KeptModel::kBest;
}

}  // namespace weir
