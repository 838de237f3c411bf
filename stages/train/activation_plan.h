// What one micro-batch holds at its peak, summed up from the list of its steps before anything
// runs.
//
// Pure functions of the declaration; any thread. The sums of the parameters' gradients are not in
// it; those of one layer on their way there are.
#pragma once

#include <cstddef>

#include "stages/train/training_steps.h"

namespace weir {

// The bytes that `samples` take forward, on stored statistics.
std::size_t InferenceBytes(const Model& model, int samples);

// The bytes that `samples` take forward and backward.
std::size_t LearningBytes(const Model& model, int samples, Activations activations);

// What `samples` take on the host where their maps are on a device: the logits that come back, and
// a dropout's mask on its way there.
std::size_t StagingBytes(const Model& model, int samples);

}  // namespace weir
