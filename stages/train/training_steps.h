// The steps of one micro-batch through what lies behind the frozen prefix: what each computes,
// which arrays it reads and writes, and which nobody reads after it.
//
// The plan of memory is the sum of this list (PeakBytes), and MicroBatchRun carries out the same
// list, so that what is planned is what is run. A list knows sizes alone, no numbers: it is made
// before anything is loaded, in well under a millisecond, and holds some tens of kilobytes.
// Immutable once made; any thread.
#pragma once

#include "stages/model/model.h"
#include "stages/train/steps/training_step.h"

namespace weir {

// The steps forward, on stored statistics.
TrainingSteps InferenceSteps(const Model& model);

// The steps forward, the loss, and the steps backward as far as something learns.
TrainingSteps LearningSteps(const Model& model, Activations activations);

}  // namespace weir
