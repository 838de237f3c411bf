// The model that a run left behind, in the run's own pipeline with another source: what predict,
// evaluate and the check of an export have in common.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/job/data_source.h"
#include "pipelines/job/session.h"
#include "pipelines/job/trained_model.h"
#include "stages/learner.h"

namespace weir {

struct TrainedOptions {
  std::optional<GivenData> data{};               // in place of the run's own; empty: the run's own
  std::shared_ptr<ConfusionCounts> confusion{};  // handed on to SessionOptions
  std::shared_ptr<Bootstrap> bootstrap{};        // likewise
  // Likewise: the pipeline then ends ahead of the model, and has no learner.
  std::string_view sink_in_place_of{};
  std::function<void(Pipeline&, const std::vector<std::string>& from)> add_sink{};
  std::function<void(const std::string& stage, const Drop&)> on_drop;
};

// What is gone over of these data: of the run's own, where there are none, those that it validated
// with.
Split SplitOf(const std::optional<GivenData>& data);

class TrainedSession {
 public:
  // Reads the model that lies at `where` (trained_model.h), plans and opens the pipeline. Throws
  // Error(kData) where there is none, or the run's own data have other classes now.
  TrainedSession(StageTable& stages, const std::filesystem::path& where,
                 const std::vector<std::string>& overrides, const TrainedOptions& options);
  // The same with the recipe that uses it, which is read already.
  TrainedSession(const TrainedModel& trained, Recipe recipe, const TrainedOptions& options);

  const std::vector<std::string>& classes() const { return classes_->names; }
  Learner& learner() { return *learner_; }  // not where there is a sink in its place
  const Session& session() const { return *session_; }

  // One pass over SplitOf the data. Throws Error(kInterrupted) where a signal stopped it.
  void Run();

 private:
  TrainedSession(const TrainedModel& trained, StageTable& stages,
                 const std::vector<std::string>& overrides, const TrainedOptions& options);

  const Split split_;
  std::shared_ptr<const Classes> classes_;  // the session's own, so that they are held once
  std::unique_ptr<Session> session_;
  std::shared_ptr<Learner> learner_;
};

}  // namespace weir
