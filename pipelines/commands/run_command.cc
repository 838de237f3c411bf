#include <cstdio>
#include <optional>
#include <string>

#include "framework/flow/trace.h"
#include "pipelines/commands/commands.h"
#include "pipelines/finetune/finetune.h"
#include "pipelines/job/flow_run.h"
#include "pipelines/job/session.h"
#include "pipelines/job/signals.h"

namespace weir {

void RunCommand(const RunOptions& options, StageTable& stages) {
  OutliveReader();
  const Recipe recipe = LoadRecipe(stages, options.config, options.overrides);
  std::optional<Trace> trace;
  if (!options.trace.empty()) trace.emplace(options.trace);
  const auto job = recipe.trains() ? Finetune : RunFlow;
  job(recipe, options, trace ? &*trace : nullptr);
  if (!trace) return;
  const std::string problem = trace->Close();
  if (!problem.empty()) {
    std::printf("%s\n", problem.c_str());
  } else {
    std::printf("trace: %s (open it at ui.perfetto.dev)\n", options.trace.c_str());
  }
}

}  // namespace weir
