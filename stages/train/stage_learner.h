// The Learner behind the stage `train`, as that stage sees it: whatever learns with LibTorch is on
// the other side of this (stages/train/torch/torch_library.h), in Trainer.
//
// Called by one thread at a time, but for metrics() and LowerInFlight(), which any thread may call.
#pragma once

#include <memory>
#include <vector>

#include "framework/flow/stage.h"
#include "stages/device/device.h"
#include "stages/learner.h"
#include "stages/model/declared_model.h"
#include "stages/model/model.h"
#include "stages/payloads.h"
#include "stages/ranks/ranks.h"
#include "stages/train/checkpoint.h"
#include "stages/train/pass_figures.h"
#include "stages/train/schedules/schedule.h"
#include "stages/train/training_config.h"

namespace weir {

// Whether ranks tell each other the features of their samples, and each learns from those of the
// whole batch as one that is alone does, in place of adding up gradients: where a sample's features
// are a vector, what learns is small, and its gradients are more than the features.
inline bool GathersFeatures(const Model& model) { return model.feature_dims().size() == 1; }

// Whether all of a batch must be one micro-batch: a batch norm learns on the batch's statistics.
bool NeedsWholeBatch(const Model& model);

class StageLearner : public Learner {
 public:
  virtual Footprint footprint() const = 0;
  virtual void Open(OpenContext& context) = 0;
  // Fewer micro-batches at once, from the next batch on. Any thread.
  virtual void LowerInFlight(int micro_batches) = 0;
  virtual void BeginPass(const Pass& pass) = 0;
  virtual void Consume(const FeatureBatch& batch, StageContext& context) = 0;
  virtual void EndPass(const Pass& pass) = 0;
};

// What it is made of.
struct TrainerSetup {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const ModelSource> source;
  std::shared_ptr<const TrainingConfig> config;
  std::shared_ptr<Device> device;      // null: the host
  PassFigures figures;                 // those of the passes that are measured
  std::vector<double> class_weights;   // as TrainableOptions has them
  Declaration data;                    // what is learnt from, in words
  ScheduleLength length;               // what the schedule is planned over
  std::shared_ptr<const Ranks> ranks;  // null where a batch is not cut in pieces
  SampleCounts counts;                 // known where there are ranks
  Batching batching;                   // how samples are gathered
  int workers = 1;
  bool training = true;
};

}  // namespace weir
