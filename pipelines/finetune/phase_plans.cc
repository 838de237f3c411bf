#include "pipelines/finetune/phase_plans.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipelines/finetune/phase_job.h"
#include "pipelines/job/calibrate.h"
#include "pipelines/job/ways_to_fit.h"
#include "pipelines/report/plan_text.h"
#include "stages/model/model.h"

namespace weir {
namespace {

PhasePlan Planned(const Recipe& recipe, const std::shared_ptr<ModelSource>& model,
                  const Session& listed, Session& session) {
  PlanOrNameWays(recipe, session);
  PhasePlan plan{.phase = recipe.phase_name, .plan = session.plan()};
  if (const auto declared = session.resources().Find<Model>()) {
    plan.frozen_layers = declared->prefix_layers();
    plan.layers = declared->network().size();
    plan.trained_values = declared->trained_values();
  }
  if (CalibrationSession::IsNeeded(session)) {
    plan.calibration = CalibrationSession(recipe, model, listed, listed.allowance()).Plan();
  }
  return plan;
}

nlohmann::json ToJson(const PhasePlan& plan, const ChosenDevice& device) {
  nlohmann::json json = ToJson(plan.plan, device);
  if (plan.calibration) json["calibration"] = ToShortJson(*plan.calibration);
  return json;
}

}  // namespace

std::size_t PhasePlan::smallest_bytes() const {
  return std::max(plan.smallest_bytes, calibration ? calibration->smallest_bytes : 0);
}

std::vector<PhasePlan> PlanPhases(const std::vector<Recipe>& phases, int first,
                                  const std::shared_ptr<ModelSource>& model, Session& session) {
  const auto begin = static_cast<std::size_t>(first);
  std::vector<PhasePlan> plans = {
      InPhase(phases[begin], [&] { return Planned(phases[begin], model, session, session); })};
  for (std::size_t i = begin + 1; i < phases.size(); ++i) {
    plans.push_back(InPhase(phases[i], [&] {
      const auto of_phase = model ? ForPhase(phases[i], *model) : nullptr;
      Session later(phases[i], {.training = true,
                                .model = of_phase,
                                .listed = &session,
                                .allowance = session.allowance()});
      return Planned(phases[i], of_phase, session, later);
    }));
  }
  return plans;
}

const PhasePlan& LargestOf(const std::vector<PhasePlan>& plans) {
  return *std::ranges::max_element(plans, {},
                                   [](const PhasePlan& each) { return each.plan.peak_bytes(); });
}

nlohmann::json ToJson(const std::vector<PhasePlan>& plans, const ChosenDevice& device) {
  nlohmann::json json = ToJson(LargestOf(plans), device);
  if (plans.size() == 1) return json;
  json["phase"] = LargestOf(plans).phase;
  json["phases"] = nlohmann::json::array();
  for (const PhasePlan& each : plans) {
    json["phases"].push_back(ToJson(each, device));
    json["phases"].back().erase("device");
    json["phases"].back()["phase"] = each.phase;
  }
  return json;
}

}  // namespace weir
