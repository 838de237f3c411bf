#include <cstdio>
#include <memory>
#include <string>

#include "framework/error.h"
#include "pipelines/commands/commands.h"
#include "pipelines/job/model_setup.h"
#include "pipelines/job/session.h"
#include "pipelines/job/signals.h"
#include "stages/batch/batch.h"
#include "stages/writers/contact_sheet.h"

namespace weir {

void PreviewCommand(const PreviewOptions& options, StageTable& stages) {
  const Recipe recipe = LoadRecipe(stages, options.config, options.overrides);
  ContactSheet* sheet = nullptr;  // the pipeline's
  Session session(recipe, {.model = ModelOf(recipe, Fetching::kForbidden),
                           .sink_in_place_of = BatchImages::kName,
                           .add_sink =
                               [&](Pipeline& pipeline, const std::vector<std::string>& from) {
                                 pipeline.AddMade(
                                     std::string(ContactSheet::kName),
                                     [&](BuildContext& context) {
                                       auto made = std::make_unique<ContactSheet>(
                                           ContactSheet::Params{options.out, options.columns,
                                                                options.rows, options.cell},
                                           context);
                                       made->set_on_full([&pipeline] { pipeline.Stop(); });
                                       sheet = made.get();
                                       return made;
                                     },
                                     from);
                               },
                           .on_drop =
                               [](const std::string&, const Drop& drop) {
                                 std::fprintf(stderr, "weir: %s: %s\n", drop.sample.c_str(),
                                              drop.reason.c_str());
                               }});
  session.Open();
  session.RunUnshown({.split = Split::kTrain, .epoch = options.epoch});
  if (SignalReceived()) throw Error(ErrorKind::kInterrupted, "interrupted", "");
  if (sheet->pictures() == 0) {
    throw Error(ErrorKind::kData, "not one picture of the train split could be used",
                "The lines above say why.");
  }
  std::printf("%s: %d pictures as epoch %d sees them\n", options.out.c_str(), sheet->pictures(),
              options.epoch + 1);
}

}  // namespace weir
