// What one micro-batch holds at its peak, worked out from the table of layers before anything runs:
// the steps of BackboneSuffix and the head, with sizes in the place of arrays.
//
// Pure functions of the declaration; any thread. Gradients of parameters are not in it, but for
// those of one layer at a time on their way to their sum.
#pragma once

#include <cstddef>

#include "stages/model/model.h"

namespace weir {

// Of `samples` forward, on stored statistics.
std::size_t InferenceBytes(const Model& model, int samples);

// Of `samples` forward and backward.
std::size_t LearningBytes(const Model& model, int samples);

// What `samples` take on the host where their maps are on a device: the logits that come back, and
// a dropout's mask on its way there.
std::size_t StagingBytes(const Model& model, int samples);

}  // namespace weir
