#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "framework/flow/trace.h"
#include "pipelines/commands/commands.h"
#include "pipelines/finetune/finetune.h"
#include "pipelines/finetune/training_ranks.h"
#include "pipelines/job/flow_run.h"
#include "pipelines/job/session.h"
#include "pipelines/job/signals.h"

namespace weir {

void RunCommand(const RunOptions& options, StageTable& stages) {
  OutliveReader();
  Recipe recipe = LoadRecipe(stages, options.config, options.overrides);
  std::unique_ptr<TrainingRanks> ranks;
  if (recipe.trains()) ranks = TrainingRanks::Join(recipe, options.ranks);
  std::optional<Trace> trace;  // the first rank alone writes one
  if (!options.trace.empty() && (!ranks || ranks->is_first())) trace.emplace(options.trace);
  if (recipe.trains()) {
    Finetune(recipe, options, trace ? &*trace : nullptr, ranks.get());
  } else if (options.ranks > 1) {
    throw Error(ErrorKind::kConfig,
                "--ranks: the pipeline does not train, and is run by one process",
                "Leave it out, or end the pipeline with the stage `train`.");
  } else {
    RunFlow(recipe, options, trace ? &*trace : nullptr);
  }
  if (!trace) return;
  const std::string problem = trace->Close();
  if (!problem.empty()) {
    std::printf("%s\n", problem.c_str());
  } else {
    std::printf("trace: %s (open it at ui.perfetto.dev)\n", options.trace.c_str());
  }
}

}  // namespace weir
