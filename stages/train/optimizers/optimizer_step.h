// One step of an optimizer over the whole run of parameters, with the options that every optimizer
// has (optimizer_options.h): gradients are limited, then weights decay, then the optimizer steps,
// in the order of Keras 3 (keras/src/optimizers/base_optimizer.py).
//
//   const OptimizerStep step(optimizer, spans);
//   step.Apply(values, gradients, slots, number, learning_rate);
//
// The run is cut in parts that several threads take up. Where they are cut follows from the spans
// alone and sums are added in the order of the parts, so that the bits are the same for any number
// of threads. Immutable; Apply by one thread at a time on the same arrays. Holds some bytes for
// each part. Where the run is on a device: on_device/optimizer_step_on_device.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stages/train/optimizers/optimizer.h"

namespace weir {

// Values that are treated alike.
struct StepSpan {
  std::size_t begin = 0, count = 0;  // floats
  double rate_factor = 1;            // times the learning rate of the step
  double weight_decay = 0;
  std::uint64_t begun = 0;  // the step that their slots begin behind
  bool operator==(const StepSpan&) const = default;
};

class OptimizerStep {
 public:
  // `spans` cover the run from its begin to its end, in order; where the optimizer needs whole
  // parameters each is one. `optimizer` outlives this.
  OptimizerStep(const Optimizer& optimizer, std::vector<StepSpan> spans);

  // Changes all of them; the gradients are the limited ones afterwards, with the weights' decay in
  // them where that is in the loss. `step` counts from 1.
  void Apply(std::span<float> values, std::span<float> gradients, Optimizer::Slots slots,
             std::uint64_t step, double learning_rate) const;

  const Optimizer& optimizer() const { return optimizer_; }
  std::span<const StepSpan> spans() const { return spans_; }

 private:
  double NormOf(std::span<const float> gradients) const;

  const Optimizer& optimizer_;
  std::vector<StepSpan> spans_;
  std::vector<StepSpan> parts_;  // the spans, cut for several threads
};

}  // namespace weir
