#include <optional>
#include <span>
#include <string>

#include "framework/error.h"
#include "pipelines/commands/commands.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/predictor.h"

namespace weir {

void PredictCommand(const PredictOptions& options, StageTable& stages) {
  std::optional<PredictionRows> rows;
  Predictor predictor(
      stages, options.run, options.overrides,
      {.data = GivenData{.use = DataUse::kUnlabelled, .paths = options.paths},
       .on_drop = [&](const std::string&,
                      const Drop& drop) { rows->AddFailure(drop.sample, drop.reason); },
       .on_prediction = [&](const Sample& sample,
                            std::span<const float> values) { rows->Add(sample.path, values); }});
  SayWhatIsLeftOut(predictor.session());
  rows.emplace(options.rows, predictor.classes());
  predictor.Run();
  if (rows->count() == 0) {
    throw Error(ErrorKind::kData, "not one picture could be read", "The lines above say why.");
  }
}

}  // namespace weir
