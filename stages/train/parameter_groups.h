// How an optimizer's options fall on the parameters of a model: which rate and which weight decay
// each has, as spans of the run of parameters (steps/parameter_table.h).
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "stages/model/model.h"
#include "stages/train/optimizers/optimizer.h"
#include "stages/train/optimizers/optimizer_step.h"
#include "stages/train/steps/parameter_table.h"

namespace weir {

// For each layer of the backbone how far it is from the head, in blocks: 1 for those of the last
// block that has weights, 2 for the block before... A block is what the backbone calls so
// (NetworkLayer::block); a layer that stands alone behind the last one counts with it. In
// MobileNetV2 that is Conv_1, which has the distance of block_16; Conv1 has 18. The head's own
// distance is 0. The rates are those of timm (timm/optim/_param_groups.py, and group_matcher of
// timm/models/efficientnet.py) and of BEiT (Bao et al., 2022, arXiv:2106.08254).
std::vector<int> DistancesFromHead(const Network& network);

// The spans of `table`, which is ModelParameters::learning; neighbours that are treated alike are
// one, so that with an optimizer's defaults there is one alone, unless the optimizer needs whole
// parameters.
//
// A pattern of `groups` is matched against a parameter's own name ("features.18.0.weight",
// "head.1.bias"); against its layer's, block's and modules' as in model.frozen, which also takes
// the layer's batch norm; and against that batch norm's name. Throws Error(kConfig) where a pattern
// matches no parameter that learns, where two groups match the same one, or where a group's weight
// decay is kept from all of its parameters by `no_decay`.
//
// `begun` says of each parameter behind which step its slots begin; empty: all from the first on.
std::vector<StepSpan> StepSpans(const Model& model, const Optimizer& optimizer,
                                const ParameterTable& table,
                                const std::vector<std::uint64_t>& begun = {});

}  // namespace weir
