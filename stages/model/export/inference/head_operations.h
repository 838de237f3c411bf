// The operations of a head in inference, and the softmax or whatever else gives the probabilities.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "stages/model/export/inference/inference_options.h"
#include "stages/model/export/inference/operation_list.h"
#include "stages/model/head/head_layer.h"
#include "stages/model/model.h"

namespace weir {

// The values of an array of the head's layer `layer`.
using HeadReader = std::function<std::vector<float>(int layer, const HeadArray& array)>;

// Appends the model's head to `list`, which ends with its backbone. The list reads with `weights`.
// Throws Error(kInternal) where a layer of the head is of a kind that is not known here.
void AppendHead(const std::shared_ptr<const Model>& model, const HeadReader& weights,
                const InferenceOptions& options, OperationList& list);

}  // namespace weir
