// The job of a pipeline that does not train: one pass over the training pictures.
#pragma once

#include "framework/flow/trace.h"
#include "pipelines/job/run_options.h"
#include "pipelines/job/session.h"

namespace weir {

// `trace` may be null. Leaves a run folder too, without a model. Throws Error: kInterrupted where a
// signal stopped it.
void RunFlow(const Recipe& recipe, const RunOptions& options, Trace* trace);

}  // namespace weir
