// Writes down steps one after another, and works out what can be left out and freed.
#pragma once

#include <utility>
#include <vector>

#include "stages/train/steps/training_step.h"

namespace weir {

class StepList {
 public:
  int Array(FloatCount size) { return Add({.size = size}); }
  int ArrayInside(int other) { return Add({.inside = other}); }

  // Returns the step, for what is not said here; the reference ends with the next call.
  TrainingStep& Step(TrainingStep::Kind kind, int layer, std::vector<int> reads,
                     std::vector<int> writes);

  // Returns the list without the steps that write only what nobody reads, each array but `output`
  // freed by the last step that uses its memory.
  TrainingSteps Finish(int output) &&;

 private:
  int Add(StepArray array);

  std::vector<StepArray> arrays_;
  std::vector<TrainingStep> steps_;
};

}  // namespace weir
