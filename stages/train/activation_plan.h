// What one micro-batch holds at its peak, worked out from the table of layers before anything runs:
// the steps of BackboneSuffix and the head, with sizes in the place of arrays.
//
// Pure functions of the declaration; any thread. Gradients of parameters are not in it, but for
// those of one layer at a time on their way to their sum.
#pragma once

#include <cstddef>
#include <vector>

#include "stages/model/model.h"

namespace weir {

// Of `samples` forward, on stored statistics.
std::size_t InferenceBytes(const Model& model, int samples);

// What is done with the maps that the way back needs: kept from the way there, or of each block
// only its input, from which the others are computed once more (activation checkpointing; Chen et
// al., "Training Deep Nets with Sublinear Memory Cost", 2016). The gradients are the same, bit for
// bit.
enum class Activations { kKept, kRecomputed };

// Whether the map that backbone layer `layer` reads, the first behind the prefix that learns or a
// later one, is kept in both cases: where a segment begins.
bool BeginsSegment(const Network& network, int layer, int first_learning);

// Of `samples` forward and backward.
std::size_t LearningBytes(const Model& model, int samples,
                          Activations activations = Activations::kKept);

// What `samples` take on the host where their maps are on a device: the logits that come back, and
// a dropout's mask on its way there.
std::size_t StagingBytes(const Model& model, int samples);

}  // namespace weir
