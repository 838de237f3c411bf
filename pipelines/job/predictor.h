// What the model of a run says of pictures: `weir predict`, as far as its answers go.
//
// On the host the model runs as it does in a program of one's own, without LibTorch. On a GPU, and
// where a stage of somebody else's stands behind the backbone, the run's own pipeline does all.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipelines/job/data_source.h"
#include "pipelines/job/trained_session.h"
#include "stages/payloads.h"

namespace weir {

struct PredictorOptions {
  GivenData data;
  std::function<void(const std::string& stage, const Drop&)> on_drop;
  // Called for each picture, in their order, by one thread at a time, with its probabilities.
  std::function<void(const Sample&, std::span<const float>)> on_prediction;
};

class Predictor {
 public:
  // Throws as TrainedSession.
  Predictor(StageTable& stages, const std::filesystem::path& where,
            const std::vector<std::string>& overrides, const PredictorOptions& options);

  const std::vector<std::string>& classes() const { return trained_->classes(); }
  const Session& session() const { return trained_->session(); }

  // Over all pictures. Throws Error(kInterrupted) where a signal stopped it.
  void Run() { trained_->Run(); }

 private:
  std::unique_ptr<TrainedSession> trained_;
};

}  // namespace weir
