// The operations of a head in inference, and the softmax that gives the probabilities.
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

// Appends the model's head from its layer `first` on to `list`, which ends with what makes that
// layer's input, or is empty: then that stands in the place of the picture. The list reads with
// `weights`. Throws Error(kInternal) where a layer of the head is of a kind that is not known here.
void AppendHead(const std::shared_ptr<const Model>& model, const HeadReader& weights,
                const InferenceOptions& options, OperationList& list, int first = 0);

}  // namespace weir
