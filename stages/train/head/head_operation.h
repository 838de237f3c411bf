// What a layer of the head computes in training, and what that takes.
//
// Each is a class in a file of its own, which gives a row (HeadOperationKind) of the list in
// head_operations.cc. Its layer's shapes and arrays are in stages/model/head/, under the same name.
//
// Maps are [n, h, w, C], vectors [n, values]. Each sample's pooled values are added up in the order
// of its pixels, and its dropout mask is a function of (seed, layer, epoch, sample), so that
// neither depends on what is computed beside it.
//
// Where the arrays are on a device, maps are too: pooled values are added up in LibTorch's order,
// masks are drawn on the host and brought there.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/model/head/head_layer.h"
#include "stages/train/steps/micro_batch.h"
#include "stages/train/steps/parameter_arrays.h"
#include "stages/train/steps/step_frame.h"
#include "stages/train/steps/training_step.h"

namespace weir {

// The sizes of what it takes and leaves, forward and backward.
struct HeadPlan {
  bool gives_a_view = false;       // its output lies in its input
  std::vector<FloatCount> kept{};  // what its way back needs beside the next two
  bool reads_input = false;        // on the way back
  bool reads_output = false;
  bool gives_a_gradient_view = false;  // the gradient of the input lies in that of the output
  FloatCount forward_scratch{}, backward_scratch{};
  // What it makes on the host where its maps are on a device, before it is brought there.
  FloatCount drawn_on_host{};
};

// Forward and Backward may run on many threads at once, each with a frame of its own; those of a
// layer that needs the whole batch one at a time when it learns.
class HeadOperation {
 public:
  virtual ~HeadOperation() = default;

  // Step kHead of training_step.h. Never writes over what it reads.
  virtual void Forward(const StepFrame& frame, const MicroBatch& micro_batch) const = 0;

  // Step kHeadBackward. The gradient that it reads may be written over; that of the input is
  // contiguous.
  virtual void Backward(const StepFrame& frame) const = 0;
};

// What a layer's operation is made for. All outlives it.
struct HeadContext {
  int index;           // the layer's place in the head
  const Shape& input;  // what arrives there
  std::uint64_t seed;  // the model's
  const ParameterArrays& arrays;

  // One that learns, with its values.
  const Parameter& parameter(std::string_view array) const {
    return arrays.tables.learning.at(HeadArrayName(index, array));
  }
  at::Tensor values(std::string_view array) const { return View(arrays.values, parameter(array)); }
  at::Tensor statistic(std::string_view array) const {
    return View(arrays.statistics, arrays.tables.statistics.at(HeadArrayName(index, array)));
  }
};

// A row of the list.
struct HeadOperationKind {
  bool (*computes)(const HeadLayer& layer);
  HeadPlan (*plan)(const HeadLayer& layer, const Shape& input, bool learning);
  std::unique_ptr<HeadOperation> (*make)(const HeadLayer& layer, const HeadContext& context);
};

// An Operation has
//   static HeadPlan Plan(const Layer& layer, const Shape& input, bool learning);
//   Operation(const Layer& layer, const HeadContext& context);
template <class Layer, class Operation>
constexpr HeadOperationKind HeadOperationOf() {
  return {.computes =
              [](const HeadLayer& layer) { return dynamic_cast<const Layer*>(&layer) != nullptr; },
          .plan =
              [](const HeadLayer& layer, const Shape& input, bool learning) {
                return Operation::Plan(static_cast<const Layer&>(layer), input, learning);
              },
          .make = [](const HeadLayer& layer,
                     const HeadContext& context) -> std::unique_ptr<HeadOperation> {
            return std::make_unique<Operation>(static_cast<const Layer&>(layer), context);
          }};
}

// How many float32 a sample of that shape has.
inline FloatCount PerSample(const Shape& dims) { return {.per_sample = ValuesIn(dims)}; }

}  // namespace weir
