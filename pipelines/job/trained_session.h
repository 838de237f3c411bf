// The model that a run left behind, in the run's own pipeline with another source: what predict and
// evaluate have in common.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/job/data_source.h"
#include "pipelines/job/session.h"
#include "stages/learner.h"

namespace weir {

struct TrainedOptions {
  std::optional<GivenData> data{};               // in place of the run's own; empty: the run's own
  std::shared_ptr<ConfusionCounts> confusion{};  // handed on to SessionOptions
  std::shared_ptr<Bootstrap> bootstrap{};        // likewise
  std::function<void(const std::string& stage, const Drop&)> on_drop;
};

class TrainedSession {
 public:
  // Reads `run`/config.yaml and `run`/model, plans and opens the pipeline.
  // Throws Error(kData) where `run` holds no trained model, or its own data have other classes now.
  TrainedSession(StageTable& stages, const std::filesystem::path& run,
                 const std::vector<std::string>& overrides, const TrainedOptions& options);

  const std::vector<std::string>& classes() const { return classes_->names; }
  Learner& learner() { return *learner_; }
  const Session& session() const { return *session_; }

  // One pass over the source. Throws Error(kInterrupted) where a signal stopped it.
  void Run(Split split);

 private:
  std::shared_ptr<const Classes> classes_;  // the session's own, so that they are held once
  std::unique_ptr<Session> session_;
  std::shared_ptr<Learner> learner_;
};

}  // namespace weir
