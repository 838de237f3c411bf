// What a step works on: its arrays among those of its micro-batch, and where gradients go.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "stages/train/steps/gradient_sink.h"
#include "stages/train/steps/training_step.h"

namespace weir {

struct StepFrame {
  const TrainingStep& step;
  std::vector<at::Tensor>& arrays;
  const GradientSink* sink = nullptr;  // null in inference

  bool reads(std::size_t index) const { return index < step.reads.size(); }
  bool writes(std::size_t index) const { return index < step.writes.size(); }
  const at::Tensor& read(std::size_t index) const { return arrays[step.reads[index]]; }
  at::Tensor& write(std::size_t index) const { return arrays[step.writes[index]]; }
};

}  // namespace weir
