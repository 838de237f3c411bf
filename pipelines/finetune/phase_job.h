// What a phase of a training starts from: its session, which fits, is checked and open.
//
//   PhaseJob job(recipe, SetUpModel(recipe.model, Fetching::kAllowed), trace);
//   PlanPhases(phases, recipe.phase, job.source(), job.session());
//   job.Open();
//
// One thread. Holds what the session holds.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "framework/flow/trace.h"
#include "pipelines/job/session.h"
#include "stages/learner.h"

namespace weir {

// The model of `source` as another phase, of `recipe`, has it: other layers of it may learn.
std::shared_ptr<ModelSource> ForPhase(const Recipe& recipe, const ModelSource& source);

// The model that a phase of `recipe` begins with, as the one before it left it in `folder`. Throws
// Error(kData) as LoadSavedModel.
std::shared_ptr<ModelSource> ModelOfPhase(const Recipe& recipe,
                                          const std::filesystem::path& folder);

class PhaseJob {
 public:
  // `recipe` is one phase (PhasesOf); `first` is what End() left of the first phase of the process,
  // null where this is it. Both outlive this. Throws Error(kConfig) where its pipeline does not
  // train.
  PhaseJob(const Recipe& recipe, std::shared_ptr<ModelSource> model, const Session* first,
           Trace* trace);

  // Ends the first phase of the process, which is open, but for what it hands on to those that
  // follow: the list of the pictures, so that all phases learn from the same, and what the job was
  // allowed to hold.
  static std::unique_ptr<const Session> End(std::unique_ptr<PhaseJob> job);

  // Looks at the data, measures what int8 needs, and opens the session.
  void Open();

  const Recipe& recipe() const { return recipe_; }
  const std::shared_ptr<ModelSource>& source() const { return model_; }
  const Model& model() const { return *session_->resources().Find<Model>(); }
  Session& session() { return *session_; }
  const Session& session() const { return *session_; }
  Learner& learner() const { return *learner_; }
  std::uint64_t Count(Split split) const;  // pictures of a pass
  bool keeps_best() const;                 // whether the best model is to be kept, else the last
  // Lines to say before it begins.
  const std::vector<std::string>& about_data() const { return about_data_; }
  std::vector<std::string> about_model() const;

 private:
  const Recipe& recipe_;
  const std::shared_ptr<ModelSource> model_;
  const Session* const first_;
  std::unique_ptr<Session> session_;
  const std::shared_ptr<Learner> learner_;
  std::vector<std::string> about_data_;
};

}  // namespace weir
