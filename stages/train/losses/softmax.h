// The softmax of the logits of one picture, and what losses share that take it.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <span>

#include "stages/payloads.h"

namespace weir {

// log(sum(exp(logits))), computed from the largest down, so that nothing overflows.
double LogSumExp(std::span<const float> logits);

// softmax(logits), written to `probabilities`, of the same size.
void Softmax(std::span<const float> logits, std::span<float> probabilities);

// Calls visit(const LabelPart&) for each part of the sample's mixture, or for its label alone.
template <class Visit>
void ForEachPart(const Sample& sample, Visit visit) {
  if (sample.mixture.empty()) return visit(LabelPart{sample.label});
  for (const LabelPart& part : sample.mixture) visit(part);
}

// The target of a class: its part of the sample, of which `smoothing` is spread over all classes.
inline double TargetOf(const Sample& sample, int label, double smoothing, std::size_t classes) {
  double target = smoothing / static_cast<double>(classes);
  ForEachPart(sample, [&](const LabelPart& part) {
    if (part.label == label) target += (1 - smoothing) * part.part;
  });
  return target;
}

}  // namespace weir
