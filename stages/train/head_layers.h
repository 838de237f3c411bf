// The layers of the head behind the frozen prefix, forward and backward.
//
// Maps are [n, h, w, C], vectors [n, values]. Each sample's pooled values are added up in the order
// of its pixels, and its dropout mask is a function of (seed, layer, epoch, sample), so that
// neither depends on what is computed beside it.
//
// Where the arrays are on a device, maps are too: pooled values are added up in LibTorch's order,
// masks are drawn on the host and brought there.
//
// Forward and Backward may run on many threads at once, each with a Tape of its own (a batch norm:
// one at a time when it learns).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "stages/model/model.h"
#include "stages/train/gradient_sink.h"
#include "stages/train/micro_batch.h"
#include "stages/train/parameter_arrays.h"

namespace weir {

class HeadOperation {
 public:
  // What Backward needs of Forward.
  struct Tape {
    std::vector<std::int64_t> input_shape;
    std::vector<at::Tensor> kept;
  };

  virtual ~HeadOperation() = default;

  // Without a tape: in inference. Never writes over `input`.
  virtual at::Tensor Forward(const at::Tensor& input, const MicroBatch& micro_batch,
                             Tape* tape) const = 0;

  // The gradient of the input, contiguous; undefined where it is not asked for. `gradient` may be
  // written over.
  virtual at::Tensor Backward(at::Tensor gradient, Tape& tape, const GradientSink& sink,
                              bool of_input) const = 0;
};

// Those from model.first_head_layer() on. A last softmax is left to the loss: the last layer gives
// logits. `arrays` outlives them.
std::vector<std::unique_ptr<HeadOperation>> MakeHead(const Model& model,
                                                     const ParameterArrays& arrays);

}  // namespace weir
