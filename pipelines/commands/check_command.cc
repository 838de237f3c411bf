#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "framework/error.h"
#include "pipelines/commands/commands.h"
#include "pipelines/finetune/phase_plans.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/model_setup.h"
#include "pipelines/job/session.h"
#include "stages/payloads.h"
#include "stages/sources/source_notes.h"

namespace weir {
namespace {

// Collects what each step has to say, so that the second problem is not hidden behind the first.
class Findings {
 public:
  template <class Step>
  void Try(Step step) {
    try {
      step();
    } catch (const Error& error) {
      std::printf("%s\n", error.what());
      if (!error.remedy().empty()) std::printf("  %s\n", error.remedy().c_str());
      if (count_++ == 0) first_ = error.kind();
    }
  }
  int count() const { return count_; }
  ErrorKind first() const { return first_; }

 private:
  int count_ = 0;
  ErrorKind first_ = ErrorKind::kConfig;
};

void PrintNote(const std::string& note) { std::printf("note: %s\n", note.c_str()); }

// What the source found, and what a look at the pictures tells.
void CheckData(const Session& session, Findings& findings) {
  if (const auto notes = session.resources().Find<SourceNotes>()) {
    for (const std::string& line : notes->Lines()) PrintNote(line);
  }
  const auto classes = session.resources().Find<Classes>();
  const std::uint64_t count = classes ? std::max<std::uint64_t>(classes->names.size(), 1) : 1;
  const LookLimits limits{.of_class = std::clamp<std::uint64_t>(4096 / count, 4, 64),
                          .in_all = 8192};
  const DataFindings seen = LookAtPictures(session, limits);
  for (const std::vector<Error>* bad : {&seen.errors, &seen.suspicions}) {
    for (const Error& error : *bad) {
      findings.Try([&] { throw Error(error); });
    }
  }
  for (const std::string& note : seen.notes) PrintNote(note);
  for (const std::string& note : NotesOnRepetitions(session)) PrintNote(note);
}

void AdviseOnPreprocessing(const Model& model, const Convention& convention) {
  if (model.preprocessing() == convention.preprocessing) return;
  const Preprocessing& fed = model.preprocessing();
  const Preprocessing& wanted = convention.preprocessing;
  std::printf(
      "note: model.preprocessing feeds the backbone [%.3g, %.3g], the weights were trained on "
      "[%.3g, %.3g];\n  `preprocessing: auto` follows the weights\n",
      fed.offset[0], 255 * fed.scale[0] + fed.offset[0], wanted.offset[0],
      255 * wanted.scale[0] + wanted.offset[0]);
}

}  // namespace

void CheckCommand(const ConfigOptions& options, StageTable& stages) {
  const std::vector<Recipe> phases =
      PhasesOf(LoadRecipe(stages, options.config, options.overrides));
  const Recipe& recipe = phases.front();
  Findings findings;
  std::shared_ptr<ModelSource> source;
  findings.Try([&] { source = ModelOf(recipe, Fetching::kForbidden); });
  const bool has_weights = source != nullptr;
  if (!source && recipe.has_model) {  // the data can be looked at all the same
    source = std::make_shared<ModelSource>();
    source->config = recipe.model;
  }
  findings.Try([&] {
    Session session =
        InPhase(recipe, [&] { return Session(recipe, {.training = true, .model = source}); });
    CheckData(session, findings);
    const auto model = session.resources().Find<Model>();
    findings.Try([&] {
      if (!model || !source->open_backbone) return;
      const LayerReader read = source->open_backbone(*model);
      for (int i = 0; i < model->network().size(); ++i) {
        if (model->network().layers()[i].has_weights()) read(i);
      }
    });
    findings.Try([&] {
      if (!has_weights && recipe.has_model) {  // of which it was said what is wrong with them
        session.Plan();
      } else {
        PlanPhases(phases, 0, source, session);
      }
    });
    if (model && has_weights) AdviseOnPreprocessing(*model, source->convention);
    if (model && source->about) {
      for (const std::string& line : source->about(*model)) PrintNote(line);
    }
    if (has_weights && !source->open_backbone) {
      std::printf("note: the weights are not here yet; `weir run` downloads them\n");
    }
  });
  if (findings.count() > 0) {
    throw Error(findings.first(), std::to_string(findings.count()) + " problem" +
                                      (findings.count() == 1 ? "" : "s") + " found");
  }
  std::printf("%s is fine\n", options.config.c_str());
}

}  // namespace weir
