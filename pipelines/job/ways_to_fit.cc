#include "pipelines/job/ways_to_fit.h"

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "pipelines/job/model_setup.h"
#include "stages/model/model.h"

namespace weir {
namespace {

constexpr std::size_t kMostWays = 3;

// Values of one key, the mildest first, of which the first that is enough is wanted.
struct Setting {
  std::string key;
  std::string now;
  std::vector<std::string> values;
};

// Adds the parameters that the stages say can be lowered with that effect, under their names in the
// configuration.
void AddLowerable(const Pipeline& pipeline, Lowerable::Alters alters,
                  std::vector<Setting>& settings) {
  for (const PlacedStage& placed : pipeline.stages()) {
    for (Lowerable& lower : placed.any->stage().lowerable()) {
      if (lower.alters != alters || lower.values.empty()) continue;
      settings.push_back({"pipeline." + placed.name + "." + lower.parameter, std::move(lower.now),
                          std::move(lower.values)});
    }
  }
}

std::vector<Setting> SettingsOf(const Recipe& recipe, const Session& session) {
  std::vector<Setting> settings;
  const int workers = Workers(recipe.config);
  if (workers > 1) {
    Setting threads{"threads", std::to_string(workers), {}};
    for (int fewer = workers / 2; fewer >= 1; fewer /= 2) {
      threads.values.push_back(std::to_string(fewer));
    }
    settings.push_back(std::move(threads));
  }
  const auto model = session.resources().Find<Model>();
  const bool backbone_learns = model && model->prefix_layers() < model->network().size();
  if (backbone_learns && recipe.training.micro_batch != 1) {
    const Auto<int>& now = recipe.training.micro_batch;
    settings.push_back({KeyOf(recipe, "training", "micro_batch"),
                        now.is_auto() ? "auto" : std::to_string(now.value()),
                        {"1"}});
  }
  AddLowerable(session.pipeline(), Lowerable::Alters::kLearning, settings);
  if (backbone_learns) settings.push_back({KeyOf(recipe, "model", "frozen"), "less", {"all"}});
  AddLowerable(session.pipeline(), Lowerable::Alters::kSamples, settings);
  return settings;
}

// One setting, changed.
struct Change {
  std::string key;
  std::string value;
  std::string now;
};

std::vector<Change> With(std::vector<Change> changes, const Change& one_more) {
  changes.push_back(one_more);
  return changes;
}

// The first value that `is_enough`.
template <class IsEnough>
std::optional<std::string> FirstOf(const Setting& setting, IsEnough is_enough) {
  for (const std::string& value : setting.values) {
    if (is_enough(Change{setting.key, value, setting.now})) return value;
  }
  return std::nullopt;
}

// The lowest ceiling of the job with `changes`; nothing where it makes no sense with them.
std::optional<std::size_t> SmallestWith(const Recipe& recipe, const std::vector<Change>& changes,
                                        const Session& session) {
  std::vector<std::string> overrides = recipe.overrides;
  for (const Change& change : changes) overrides.push_back(change.key + "=" + change.value);
  try {
    Problems problems;
    const Recipe whole = LoadRecipe(*recipe.stages, recipe.path, overrides, problems);
    problems.ThrowIfAny();
    const Recipe changed_recipe = PhasesOf(whole).at(static_cast<std::size_t>(recipe.phase));
    Session changed(changed_recipe, {.training = true,
                                     .model = ModelOf(changed_recipe, Fetching::kForbidden),
                                     .listed = &session});
    return changed.SmallestCeiling();
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string Text(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    text += (text.empty() ? "" : ", and ") + change.key + ": " + change.value + " in place of " +
            change.now;
  }
  return text;
}

// The refusal of a plan with the ways in its remedy; any other error as it is. Throws Error where
// the plan cannot be made once more.
Error WithWays(const Error& refusal, const Recipe& recipe, Session& session) {
  if (refusal.kind() != ErrorKind::kMemory) return refusal;
  const bool does_fit = session.SmallestCeiling() <= session.ceiling().bytes;
  if (does_fit) return refusal;  // what the plan starts from could not be measured
  std::string remedy = refusal.remedy();
  std::vector<WayToFit> ways;
  try {
    ways = WaysToFit(recipe, session);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {  // a plugin's stage may throw it: the refusal is what counts
  }
  if (!ways.empty()) remedy += "\n  Or change the job:";
  for (const WayToFit& way : ways) {
    remedy +=
        "\n    " + way.change + " (fits in " + ToWholeMebibytes(ByteSize{way.smallest_bytes}) + ")";
  }
  return {refusal.kind(), refusal.what(), remedy};
}

// The lowest ceiling of a job with `model` on the data of `session`, which is planned; nothing
// where it makes no sense.
std::optional<std::size_t> SmallestOf(const Recipe& recipe, std::shared_ptr<ModelSource> model,
                                      const Session& session) {
  try {
    return Session(recipe, {.training = true,
                            .model = std::move(model),
                            .listed = &session,
                            .allowance = session.allowance()})
        .SmallestCeiling();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConfig) throw;
    return std::nullopt;
  }
}

}  // namespace

std::vector<WayToFit> WaysToFit(const Recipe& recipe, const Session& session) {
  const std::size_t limit = session.ceiling().bytes;
  std::vector<WayToFit> ways;
  // Each setting alone, by the first of its values that is enough. Where none is: beside those
  // before it that are not either, each at its least, without those that it can do without.
  const auto smallest_with = [&](const std::vector<Change>& changes) {
    return SmallestWith(recipe, changes, session);
  };
  const auto is_enough = [&](const std::vector<Change>& changes) {
    const auto smallest = smallest_with(changes);
    return smallest && *smallest <= limit;
  };
  std::vector<Change> not_enough;
  for (const Setting& setting : SettingsOf(recipe, session)) {
    std::vector<Change> beside;
    std::optional<std::string> value =
        FirstOf(setting, [&](const Change& change) { return is_enough({change}); });
    if (!value && !not_enough.empty()) {
      beside = not_enough;
      value =
          FirstOf(setting, [&](const Change& change) { return is_enough(With(beside, change)); });
    }
    if (!value) {
      not_enough.push_back({setting.key, setting.values.back(), setting.now});
      continue;
    }
    const Change change{setting.key, *value, setting.now};
    for (std::size_t i = beside.size(); i-- > 0;) {
      std::vector<Change> without = beside;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      if (is_enough(With(without, change))) beside = std::move(without);
    }
    const std::vector<Change> all = With(beside, change);
    ways.push_back({Text(all), *smallest_with(all)});
    if (!beside.empty()) not_enough.push_back({setting.key, setting.values.back(), setting.now});
    if (ways.size() == kMostWays) break;
  }
  return ways;
}

std::optional<WayToFit> MostThatCouldLearn(const Recipe& recipe, const ModelSource* source,
                                           const Session& session) {
  const auto model = session.resources().Find<Model>();
  if (!source || !model || !recipe.trains() || session.device().device) return std::nullopt;
  std::vector<FrozenConfig> less_and_less = {{.kind = FrozenConfig::Kind::kNone}};
  for (const NetworkLayer& layer : model->network().layers()) {
    if (layer.block == less_and_less.back().through) continue;
    less_and_less.push_back({.kind = FrozenConfig::Kind::kThrough, .through = layer.block});
  }
  less_and_less.pop_back();  // behind the last block nothing of the backbone is left to learn
  for (const FrozenConfig& frozen : less_and_less) {
    const auto candidate = std::make_shared<ModelSource>(*source);
    candidate->config.frozen = frozen;
    const auto smallest = SmallestOf(recipe, candidate, session);
    if (!smallest || *smallest > session.ceiling().bytes) continue;
    const std::string value = frozen.through.empty() ? "none" : "{through: " + frozen.through + "}";
    return WayToFit{KeyOf(recipe, "model", "frozen") + "=" + value, *smallest};
  }
  return std::nullopt;
}

void PlanOrNameWays(const Recipe& recipe, Session& session) {
  try {
    session.Plan();
  } catch (const Error& refusal) {
    throw WithWays(refusal, recipe, session);
  }
}

}  // namespace weir
