// The stage `train`: learns from batches of features in train passes, and only measures in the
// others.
//
// Its settings are the sections `model` (ModelSource) and `training` (TrainingConfig); it takes
// both and the Model from the resources and puts the Learner there. A batch is cut by position in
// micro-batches of a fixed size, several of which run at once; their gradients are added in the
// order of position, so that neither the number of threads nor the memory that the plan grants
// changes a bit of what is learnt.
//
// Where there are ConfusionCounts among the resources, the passes over their split fill them, and
// the Bootstrap where there is one.
//
// Where a ChosenDevice among the resources is a GPU, it learns there: one micro-batch at a time,
// the whole batch where that fits and has at most 512 samples, else the largest half, quarter... of
// it, found by trying when it opens. Its bits are not the host's. The same card, build and
// micro-batch give the same bits in every run, resumed or not, as far as cuBLAS keeps what it
// promises of its results; as long as `micro_batch` is not set, other memory there may mean another
// micro-batch, and so other bits.
//
// Memory on the host: what learns, its gradients, the optimizer's slots and, where there is one,
// the average of the weights all through the run; what the metrics keep of the predictions of a
// pass (pass_figures.h); and one micro-batch's activations for each in flight. While it opens, and
// while ForEachTensor runs, a layer of the backbone in the place of activations. With a GPU all
// that is there, within memory.device, and the host holds a copy of what is saved, a batch's
// logits, the kept predictions, and a dropout's mask, or in its place a layer of the backbone.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <vector>

#include "framework/flow/stage.h"
#include "stages/learner.h"
#include "stages/payloads.h"

namespace weir {

class Model;
class StageLearner;

// Whether ranks that share a training of `model` add up gradients; else they tell each other
// features (GathersFeatures).
bool SumsGradients(const Model& model);

class Train final : public SinkStage<FeatureBatch> {
 public:
  static constexpr std::string_view kName = "train";
  static constexpr std::string_view kDoc =
      "Trains what is not frozen; measures loss and accuracy. Set by `model` and `training`.";
  static constexpr bool kTakesFromDevice = true;
  struct Params {
    static auto Fields() { return std::tuple{}; }
  };

  // Throws Error(kConfig) where the model or `training` makes no sense: no model before it, a
  // micro-batch larger than the batch, a batch norm on the batch's statistics with a smaller one,
  // a schedule that such a training cannot follow (Schedule::CheckFits).
  // Open throws Error(kMemory) where not one sample fits on the GPU.
  Train(const Params& params, BuildContext& context);
  ~Train() override;

  static std::vector<ResourceUse> Needs();
  static std::vector<ResourceUse> Provides();

  Footprint footprint() const override;
  void Open(OpenContext& context) override;
  void LowerLever(int micro_batches) override;
  void BeginPass(const Pass& pass) override;
  void Consume(const FeatureBatch& batch, StageContext& context) override;
  void EndPass(const Pass& pass) override;

 private:
  std::shared_ptr<StageLearner> learner_;
};

}  // namespace weir
