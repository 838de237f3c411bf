// What training minimises, and what it reports: cross-entropy of a softmax, from logits.
//
// Pure functions over one image; any thread.
#pragma once

#include <span>

#include "stages/payloads.h"

namespace weir {

// softmax(logits), written to `probabilities`, of the same size; computed from the largest down, so
// that nothing overflows.
void Softmax(std::span<const float> logits, std::span<float> probabilities);

// -sum(target * log softmax(logits)) in nats, where target is 1 - smoothing at the sample's label,
// or that much shared out among the parts of its mixture, and smoothing / classes everywhere in
// addition (Szegedy et al., 2016; Keras' and PyTorch's label_smoothing).
double CrossEntropy(std::span<const float> logits, const Sample& sample, double smoothing);

// The same, and scale * d loss / d logits, written over the logits.
double CrossEntropyGradient(std::span<float> logits, const Sample& sample, double smoothing,
                            double scale);

// The index of the largest; the first where several are.
int Largest(std::span<const float> values);

}  // namespace weir
