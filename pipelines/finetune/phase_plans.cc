#include "pipelines/finetune/phase_plans.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipelines/finetune/phase_job.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/report/plan_text.h"
#include "stages/model/model.h"

namespace weir {
namespace {

PhasePlan Planned(const Recipe& recipe, Session& session) {
  PlanOrNameWays(recipe, session);
  PhasePlan plan{.phase = recipe.phase_name, .plan = session.plan()};
  if (const auto model = session.resources().Find<Model>()) {
    plan.frozen_layers = model->prefix_layers();
    plan.layers = model->network().size();
    plan.trained_values = model->trained_values();
  }
  return plan;
}

}  // namespace

std::vector<PhasePlan> PlanPhases(const std::vector<Recipe>& phases, int first,
                                  const ModelSource* model, Session& session) {
  const auto begin = static_cast<std::size_t>(first);
  std::vector<PhasePlan> plans = {
      InPhase(phases[begin], [&] { return Planned(phases[begin], session); })};
  for (std::size_t i = begin + 1; i < phases.size(); ++i) {
    plans.push_back(InPhase(phases[i], [&] {
      Session later(phases[i], {.training = true,
                                .model = model ? ForPhase(phases[i], *model) : nullptr,
                                .listed = &session,
                                .reserve_bytes = session.plan().reserve_bytes});
      return Planned(phases[i], later);
    }));
  }
  return plans;
}

const PhasePlan& LargestOf(const std::vector<PhasePlan>& plans) {
  return *std::ranges::max_element(plans, {},
                                   [](const PhasePlan& each) { return each.plan.peak_bytes(); });
}

nlohmann::json ToJson(const std::vector<PhasePlan>& plans, const ChosenDevice& device) {
  nlohmann::json json = ToJson(LargestOf(plans).plan, device);
  if (plans.size() == 1) return json;
  json["phase"] = LargestOf(plans).phase;
  json["phases"] = nlohmann::json::array();
  for (const PhasePlan& each : plans) {
    json["phases"].push_back(ToJson(each.plan, device));
    json["phases"].back().erase("device");
    json["phases"].back()["phase"] = each.phase;
  }
  return json;
}

}  // namespace weir
