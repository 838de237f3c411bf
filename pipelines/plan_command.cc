#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "framework/byte_size.h"
#include "pipelines/calibrate.h"
#include "pipelines/commands.h"
#include "pipelines/listed.h"
#include "pipelines/plan_text.h"
#include "pipelines/session.h"
#include "pipelines/ways_to_fit.h"
#include "stages/model/model.h"

namespace weir {
namespace {

// directory ─▶ decode ─▶ ... with what travels between them.
std::string FlowText(const Config& config) {
  std::string text;
  for (const StageConfig& stage : config.pipeline) {
    const StageSpec& spec = *Stages().Find(stage.stage);
    text += "  " + stage.stage;
    if (!spec.out.empty()) text += "  ─▶ " + spec.out;
    text += "\n";
  }
  return text;
}

// What a job beside the run takes.
struct PlannedBytes {
  std::size_t peak = 0;
  std::size_t smallest = 0;
};

PlannedBytes BytesOf(const MemoryPlan& plan) { return {plan.peak_bytes(), plan.smallest_bytes}; }

nlohmann::json ToJson(const PlannedBytes& bytes) {
  return {{"peak_bytes", bytes.peak}, {"smallest_bytes", bytes.smallest}};
}

std::string ToText(const PlannedBytes& bytes) {
  return ToRoundText(ByteSize{bytes.peak}) + ", at least " + ToRoundText(ByteSize{bytes.smallest});
}

// What a run's model takes to predict and evaluate: the bytes of the same pipeline with all of the
// backbone frozen, as it is in a saved model. Nothing where it runs on a GPU, which would have to
// be opened once more.
std::optional<PlannedBytes> PlanPrediction(const Recipe& recipe, const Session& training) {
  if (training.device().device) return std::nullopt;
  ModelConfig saved = recipe.model;
  saved.frozen = {.kind = FrozenConfig::Kind::kAll};
  Session session(
      recipe,
      {.training = false,
       .model = SetUpModel(saved, recipe.training, Fetching::kForbidden),
       .add_source = [&](Pipeline& pipeline) { Listed::AddTo(pipeline, training.pipeline()); },
       .classes = training.resources().Find<Classes>()});
  return BytesOf(session.Plan());
}

}  // namespace

void PlanCommand(const ConfigOptions& options) {
  const Recipe recipe = LoadRecipe(options.config, options.overrides);
  const auto model = SetUpModel(recipe.model, recipe.training, Fetching::kForbidden);
  Session session(recipe, {.training = true, .model = model});
  try {
    session.Plan();
  } catch (const Error& refusal) {
    throw WithWaysToFit(refusal, options.config, options.overrides, session);
  }
  const MemoryPlan& plan = session.plan();
  std::optional<PlannedBytes> calibration;
  if (CalibrationSession::IsNeeded(session)) {
    calibration = BytesOf(CalibrationSession(recipe, model).Plan());
  }
  const std::size_t smallest =
      std::max(plan.smallest_bytes, calibration ? calibration->smallest : 0);
  if (options.json) {
    nlohmann::json json = ToJson(plan, session.device());
    if (const auto prediction = PlanPrediction(recipe, session)) {
      json["prediction"] = ToJson(*prediction);
    }
    if (calibration) json["calibration"] = ToJson(*calibration);
    json["smallest_bytes"] = smallest;
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("the flow of %s, and what travels in it:\n%s\n", recipe.config.name.c_str(),
              FlowText(recipe.config).c_str());
  if (const auto model = session.resources().Find<Model>()) {
    std::printf("the model: %d of %zu layers of the backbone are frozen, %zu values learn\n\n",
                model->prefix_layers(), model->backbone().layers().size(), model->trained_values());
  }
  std::printf("%s\n\n", DeviceText(session.device()).c_str());
  std::printf("the memory bill of the host:\n%s\n", plan.ToTable().c_str());
  std::printf("why these counts:\n%s\n", WhyText(plan).c_str());
  std::printf(
      "Training and validation passes both keep within it; a checkpoint is written from what "
      "is held.\n");
  std::printf("The smallest ceiling that works is %s; above %s nothing gets faster.\n",
              ToRoundText(ByteSize{smallest}).c_str(),
              ToRoundText(ByteSize{plan.enough_bytes}).c_str());
  if (const auto prediction = PlanPrediction(recipe, session)) {
    std::printf("To predict and evaluate with its model: %s.\n", ToText(*prediction).c_str());
  }
  if (calibration) {
    std::printf("To measure the maps for int8 before it begins: %s.\n",
                ToText(*calibration).c_str());
  }
}

}  // namespace weir
