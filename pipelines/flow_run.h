// The job of a pipeline that does not train: one pass over the training pictures.
#pragma once

#include "pipelines/finetune.h"
#include "pipelines/session.h"

namespace weir {

// Leaves a run folder too, without a model. Throws Error: kInterrupted where a signal stopped it.
void RunFlow(const Recipe& recipe, const RunOptions& options);

}  // namespace weir
