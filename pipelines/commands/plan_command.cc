#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/byte_size.h"
#include "framework/config/suggestion.h"
#include "framework/text.h"
#include "pipelines/commands/commands.h"
#include "pipelines/finetune/phase_job.h"
#include "pipelines/finetune/phase_plans.h"
#include "pipelines/job/host_ceiling.h"
#include "pipelines/job/model_setup.h"
#include "pipelines/job/session.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/recipe/recipe_ranks.h"
#include "pipelines/report/flow_drawing.h"
#include "pipelines/report/plan_text.h"
#include "stages/model/model.h"
#include "stages/ranks/piece_tree.h"

namespace weir {
namespace {

// directory ─▶ decode ─▶ ... with what travels between them; where one does not take from the one
// before it, what it takes from.
std::string FlowText(const std::vector<PlacedStage>& stages) {
  std::string text;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const PlacedStage& placed = stages[i];
    text += "  ";
    if (i > 0 && placed.from != std::vector<int>{static_cast<int>(i) - 1}) {
      std::vector<std::string> names;
      for (const int from : placed.from) names.push_back(stages[from].name);
      text += Enumerate(names) + " ─▶ ";
    }
    text += placed.name;
    if (!placed.out.empty()) text += "  ─▶ " + std::string(placed.out);
    text += "\n";
  }
  return text;
}

// What a job beside the run takes.
std::string ToShortText(const MemoryPlan& plan) {
  return ToRoundText(ByteSize{plan.peak_bytes()}) + ", at least " +
         ToRoundText(ByteSize{plan.smallest_bytes});
}

void PrintBill(const PhasePlan& phase) {
  if (!phase.phase.empty()) std::printf("phase %s\n\n", Printable(phase.phase).c_str());
  if (phase.layers > 0) {
    std::printf("the model: %d of %d layers of the backbone are frozen, %zu values learn\n\n",
                phase.frozen_layers, phase.layers, phase.trained_values);
  }
  std::printf("the memory bill of the host:\n%s\n", phase.plan.ToTable().c_str());
  std::printf("why these counts:\n%s\n", WhyText(phase.plan).c_str());
  if (phase.calibration) {
    std::printf("To measure the maps for int8 before it begins: %s.\n\n",
                ToShortText(*phase.calibration).c_str());
  }
}

// What a run's model takes to predict and evaluate: the bytes of the same pipeline with all of the
// backbone frozen, as it is in a saved model. Nothing where it runs on a GPU, which would have to
// be opened once more.
std::optional<MemoryPlan> PlanPrediction(const Recipe& recipe, const Session& training) {
  if (training.device().device || !recipe.trains()) return std::nullopt;
  ModelConfig saved = recipe.model;
  saved.frozen = {.kind = FrozenConfig::Kind::kAll};
  Session session(
      recipe,
      {.training = false, .model = SetUpModel(saved, Fetching::kForbidden), .listed = &training});
  return session.Plan();
}

// As that of so many ranks has it that holds the most.
Recipe LoadShared(StageTable& stages, const ConfigOptions& options, int ranks) {
  Recipe recipe = LoadRecipe(stages, options.config, options.overrides);
  if (ranks == 0 || !recipe.trains()) return recipe;
  if (!recipe.config.ranks) recipe.config.ranks.emplace();
  std::pair<int, int> most;  // sums at once, samples of a batch
  for (int rank = 0; rank < ranks; ++rank) {
    const auto each = RanksOf(recipe, {.rank = rank, .ranks = ranks}, nullptr);
    const std::pair holds(SumsAtOnce(each->share.first_piece(), each->share.end_piece()),
                          each->share.size());
    if (holds <= most) continue;
    most = holds;
    recipe.ranks = each;
  }
  recipe.config.processes = ranks;
  recipe.ranks->threads = ranks * Workers(recipe.config);
  return recipe;
}

}  // namespace

void PlanCommand(const ConfigOptions& options, PlanForm form, int ranks, StageTable& stages) {
  const std::vector<Recipe> phases = PhasesOf(LoadShared(stages, options, ranks));
  const Recipe& recipe = phases.front();
  const auto model = ModelOf(recipe, Fetching::kForbidden);
  Session session =
      InPhase(recipe, [&] { return Session(recipe, {.training = true, .model = model}); });
  const std::vector<PhasePlan> plans = PlanPhases(phases, 0, model, session);
  const MemoryPlan& plan = LargestOf(plans).plan;
  if (form == PlanForm::kDot || form == PlanForm::kSvg) {
    const FlowDrawing drawing = DrawFlow(session.pipeline().stages(), plan);
    std::fputs((form == PlanForm::kDot ? ToDot(drawing) : ToSvg(drawing)).c_str(), stdout);
    return;
  }
  std::size_t smallest = 0;
  std::size_t enough = 0;
  for (const PhasePlan& each : plans) {
    smallest = std::max(smallest, each.smallest_bytes());
    enough = std::max(enough, each.plan.enough_bytes);
  }
  const auto last = model ? ForPhase(phases.back(), *model) : nullptr;
  const auto could_learn = MostThatCouldLearn(phases.back(), last.get(), session);
  if (form == PlanForm::kJson) {
    nlohmann::json json = ToJson(plans, session.device());
    if (const auto prediction = PlanPrediction(recipe, session)) {
      json["prediction"] = ToShortJson(*prediction);
    }
    json["smallest_bytes"] = smallest;
    if (ranks > 0) json["ranks"] = ranks;
    if (could_learn) {
      json["could_learn"] = {{"change", could_learn->change},
                             {"smallest_bytes", could_learn->smallest_bytes}};
    }
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("the flow of %s, and what travels in it:\n%s\n", recipe.config.name.c_str(),
              FlowText(session.pipeline().stages()).c_str());
  std::printf("%s\n\n", DeviceText(session.device()).c_str());
  for (const PhasePlan& each : plans) PrintBill(each);
  if (plans.size() > 1) {
    std::printf("The largest is the bill of phase %s: %s.\n",
                InBackticks(LargestOf(plans).phase).c_str(),
                ToRoundText(ByteSize{plan.peak_bytes()}).c_str());
  }
  if (recipe.trains()) {
    std::printf(
        "Training and validation passes both keep within it; a checkpoint is written from what "
        "is held.\n");
  }
  if (ranks > 1) {
    std::printf("Each of %d ranks takes that at most, all together %s.\n", ranks,
                ToRoundText(ByteSize{plan.peak_bytes() * static_cast<std::size_t>(ranks)}).c_str());
  }
  std::printf("The smallest ceiling that works is %s; above %s nothing gets faster.\n",
              ToRoundText(ByteSize{smallest}).c_str(), ToRoundText(ByteSize{enough}).c_str());
  if (const auto prediction = PlanPrediction(recipe, session)) {
    std::printf("To predict and evaluate with its model: %s.\n", ToShortText(*prediction).c_str());
  }
  if (could_learn && plans.back().frozen_layers > 0) {
    std::printf("The most that could learn within the ceiling: %s, from %s.\n",
                could_learn->change.c_str(),
                ToRoundText(ByteSize{could_learn->smallest_bytes}).c_str());
  }
}

}  // namespace weir
