// The head's layers with what they compute, in one list.
//
// Planning is pure; any thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "stages/model/model.h"
#include "stages/train/head/head_operation.h"

namespace weir {

std::span<const HeadOperationKind* const> HeadOperations();

// The plan of layer `index` of model.head(), where something learns or in inference.
HeadPlan PlanOfHead(const Model& model, int index, bool learning);

// The size of one sample as the layer reads it, and as it gives it.
FloatCount HeadInput(const Model& model, int index);
FloatCount HeadOutput(const Model& model, int index);

// By place in model.head(), from model.first_head_layer() on; null before. A last softmax is left
// to the loss: the last layer gives logits. `model` and `arrays` outlive them.
std::vector<std::unique_ptr<HeadOperation>> MakeHead(const Model& model,
                                                     const ParameterArrays& arrays);

}  // namespace weir
