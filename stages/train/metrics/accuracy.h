// Accuracy: the part of the pictures whose largest logit is that of their label. Of a mixture the
// label is the class that has the most of it.
//
// Pure functions; any thread.
#pragma once

#include <span>

#include "stages/learner.h"
#include "stages/train/metrics/metric.h"

namespace weir {

// The index of the largest; the first where several are.
int Largest(std::span<const float> values);

// Whether one picture is taken for what it is: 0 or 1.
double Accuracy(std::span<const float> logits, const Sample& sample);

inline constexpr Metric kAccuracy{
    Metrics::kAccuracy, "the part of the pictures that are taken for what they are", &Accuracy};

}  // namespace weir
