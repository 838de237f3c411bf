#include "stages/train/micro_batch_run.h"

#include <utility>

#include "stages/train/backbone/backbone_kernels.h"
#include "stages/train/steps/step_frame.h"

namespace weir {

MicroBatchRun::MicroBatchRun(const TrainingSteps& steps, const Layers& layers,
                             const MicroBatch& micro_batch, at::Tensor features,
                             const Learning* learning)
    : steps_(steps),
      layers_(layers),
      micro_batch_(micro_batch),
      learning_(learning),
      arrays_(steps.arrays.size()) {
  arrays_[0] = std::move(features);
}

void MicroBatchRun::Run(std::size_t index) {
  const TrainingStep& step = steps_.steps[index];
  const StepFrame frame{step, arrays_, learning_ == nullptr ? nullptr : &learning_->sink};
  switch (step.kind) {
    case TrainingStep::Kind::kHead:
      layers_.head[step.layer]->Forward(frame, micro_batch_);
      break;
    case TrainingStep::Kind::kHeadBackward:
      layers_.head[step.layer]->Backward(frame);
      break;
    case TrainingStep::Kind::kLoss:
      frame.write(0) = learning_->loss(frame.read(0));
      break;
    default:
      RunBackboneStep(layers_.backbone[step.layer], frame);
  }
  for (int array : step.frees) arrays_[array].reset();
}

at::Tensor MicroBatchRun::RunAll() {
  for (std::size_t i = 0; i < steps_.steps.size(); ++i) Run(i);
  return steps_.output < 0 ? at::Tensor() : arrays_[steps_.output];
}

}  // namespace weir
