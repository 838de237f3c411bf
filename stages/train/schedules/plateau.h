// Whether a figure that is measured once an epoch still gets better: what early stopping, the
// choice of the best model, and a rate that is lowered on a plateau have in common.
//
// Pure functions of the figures of the epochs so far, so that a run that goes on needs to remember
// nothing else. Any thread.
#pragma once

#include <span>

namespace weir {

// Whether `value` is better than `best` by more than `min_delta`.
bool IsBetter(double value, double best, bool higher_is_better, double min_delta = 0);

// Whether `patience` epochs have gone by since the last that was better than all before it, as
// Keras' EarlyStopping counts them.
bool HasStalled(std::span<const double> figures, bool higher_is_better, int patience,
                double min_delta);

}  // namespace weir
