// The stage that makes probabilities of batches: the whole model on the host, without LibTorch, as
// the end of a pipeline that predicts. Commands make it; no configuration names it.
//
// Map() runs on many threads. Holds the Classifier, and a workspace of it for each worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "framework/flow/stage.h"
#include "stages/device/prefix_runner.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model.h"
#include "stages/payloads.h"

namespace weir {

class Classify final : public MapStage<Batch, FeatureBatch> {
 public:
  // Takes the ModelSource, of a saved model, and the Classes from the resources. Throws
  // Error(kConfig) where they do not go with what arrives, or `precision` cannot be had here.
  Classify(std::string_view name, Precision precision, BuildContext& context);

  // [N, classes].
  ItemSpec output() const override;
  Footprint footprint() const override { return footprint_; }
  void Open(OpenContext& context) override;
  void LowerLever(int workers) override { runner_->LowerWorkers(workers); }
  Outcome<FeatureBatch> Map(Batch batch, StageContext&) override {
    return runner_->Run(std::move(batch));
  }

 private:
  const Precision precision_;
  const std::int64_t batch_size_;
  std::shared_ptr<const ModelSource> source_;
  std::shared_ptr<const Model> model_;
  Footprint footprint_;
  std::unique_ptr<PrefixRunner> runner_;
};

}  // namespace weir
