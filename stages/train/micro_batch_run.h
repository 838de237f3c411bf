// Carries out a list of steps (training_step.h) over one micro-batch, and holds its arrays.
//
//   const MicroBatchRun::Layers layers{backbone, head};
//   at::Tensor logits = MicroBatchRun(steps, layers, micro_batch, features).RunAll();
//
// One thread, under c10::InferenceMode; as many runs at once as there are threads, but one at a
// time where running statistics follow. Where the features are on a device, so are all arrays, and
// nothing is done in other threads than the calling one. Memory: steps.BytesOf at each step.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

#include "stages/train/backbone/backbone_layers.h"
#include "stages/train/head/head_operation.h"
#include "stages/train/steps/gradient_sink.h"
#include "stages/train/steps/micro_batch.h"
#include "stages/train/steps/training_step.h"

namespace weir {

class MicroBatchRun {
 public:
  struct Layers {
    const BackboneLayers& backbone;
    const std::vector<std::unique_ptr<HeadOperation>>& head;  // by place in model.head()
  };
  // What a list that learns needs beside.
  struct Learning {
    std::function<at::Tensor(const at::Tensor& logits)> loss;  // gives the gradient of the logits
    const GradientSink& sink;
  };

  // All outlive this. `features` is [n, feature_dims...]; `learning` is null for inference.
  MicroBatchRun(const TrainingSteps& steps, const Layers& layers, const MicroBatch& micro_batch,
                at::Tensor features, const Learning* learning = nullptr);

  // Step `index` of steps.steps, each once, in their order.
  void Run(std::size_t index);

  // All of them. Returns the logits where the list leaves them.
  at::Tensor RunAll();

 private:
  const TrainingSteps& steps_;
  Layers layers_;
  const MicroBatch& micro_batch_;
  const Learning* learning_;
  std::vector<at::Tensor> arrays_;
};

}  // namespace weir
