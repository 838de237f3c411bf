// The operations of a backbone in inference, made from its Network.
#pragma once

#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/export/inference/inference_options.h"
#include "stages/model/export/inference/operation_list.h"
#include "stages/model/model.h"

namespace weir {

// Appends the model's backbone to `list`, which is empty. The list reads with `weights`.
void AppendBackbone(const Model& model, const LayerReader& weights, const InferenceOptions& options,
                    OperationList& list);

}  // namespace weir
