// What the steps through the layers of the head compute (their sizes: head_plan.h).
//
// Maps are [n, h, w, C], vectors [n, values]. Each sample's pooled values are added up in the order
// of its pixels, and its dropout mask is a function of (seed, layer, epoch, sample), so that
// neither depends on what is computed beside it.
//
// Where the arrays are on a device, maps are too: pooled values are added up in LibTorch's order,
// masks are drawn on the host and brought there.
//
// Forward and Backward may run on many threads at once, each with a frame of its own (a batch norm:
// one at a time when it learns).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "stages/model/model.h"
#include "stages/train/micro_batch.h"
#include "stages/train/parameter_arrays.h"
#include "stages/train/step_frame.h"

namespace weir {

class HeadOperation {
 public:
  virtual ~HeadOperation() = default;

  // Step kHead of training_steps.h. Never writes over what it reads.
  virtual void Forward(const StepFrame& frame, const MicroBatch& micro_batch) const = 0;

  // Step kHeadBackward. The gradient that it reads may be written over; that of the input is
  // contiguous.
  virtual void Backward(const StepFrame& frame) const = 0;
};

// By place in model.head(), from model.first_head_layer() on; null before. A last softmax is left
// to the loss: the last layer gives logits. `arrays` outlives them.
std::vector<std::unique_ptr<HeadOperation>> MakeHead(const Model& model,
                                                     const ParameterArrays& arrays);

}  // namespace weir
