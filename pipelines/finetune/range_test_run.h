// Runs a range test of the learning rate (range_test.h) on the pipeline of a configuration, within
// its ceiling: as a training would begin, with the rates of the test.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include "pipelines/finetune/range_test.h"
#include "pipelines/recipe/recipe.h"

namespace weir {

// Passes over the train split, one after the other, until the test is over; what is learnt is
// forgotten, and nothing is written but what the stages keep (features). Calls `begin` once it is
// open, and says on `out` what there is to say of the data and the model. Throws as `weir run`
// does: Error(kMemory) where it does not fit, Error(kInterrupted) where a signal stopped it.
RateCurve RunRangeTest(Recipe recipe, const RateRange& range, std::FILE* out,
                       const std::function<void()>& begin);

// What gives --set that learning rate for the recipe's optimizer, with all else of it as it is
// written: "training.optimizer.adam.learning_rate=0.01", or the whole optimizer where it stands as
// a word, or is that of the phases in common: "training.phases.1.optimizer={adamw: {...}}".
std::string LearningRateOption(const Recipe& recipe, const std::string& rate);

}  // namespace weir
