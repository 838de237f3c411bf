// Runs a range test of the learning rate (range_test.h) on the pipeline of a configuration, within
// its ceiling: as a training would begin, with the rates of the test.
#pragma once

#include <cstdio>
#include <functional>

#include "pipelines/finetune/range_test.h"
#include "pipelines/recipe/recipe.h"

namespace weir {

// Passes over the train split, one after the other, until the test is over; what is learnt is
// forgotten, and nothing is written but what the stages keep (features). Says on `out` what there
// is to say of the data, and calls `begin` before the first step. Throws as `weir run` does:
// Error(kMemory) where it does not fit, Error(kInterrupted) where a signal stopped it.
RateCurve RunRangeTest(Recipe recipe, const RateRange& range, std::FILE* out,
                       const std::function<void()>& begin);

}  // namespace weir
