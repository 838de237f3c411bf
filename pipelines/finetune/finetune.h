// The main job: passes over the training and validation data until the epochs are done, with
// a checkpoint to go on from at every save interval.
#pragma once

#include "framework/flow/trace.h"
#include "pipelines/finetune/training_ranks.h"
#include "pipelines/job/run_options.h"
#include "pipelines/job/session.h"

namespace weir {

// `trace` may be null, and `ranks` where the training is not shared. Throws Error: kInterrupted
// where a signal stopped it, after the checkpoint is saved, or another rank is gone.
void Finetune(const Recipe& recipe, const RunOptions& options, Trace* trace, TrainingRanks* ranks);

}  // namespace weir
