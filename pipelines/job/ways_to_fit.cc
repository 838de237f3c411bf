#include "pipelines/job/ways_to_fit.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "framework/byte_size.h"
#include "pipelines/job/listed.h"
#include "stages/model/model.h"

namespace weir {
namespace {

constexpr std::size_t kMostWays = 3;
constexpr int kSmallestSide = 32;
constexpr int kSideStep = 32;

// Values of one key, the mildest first, of which the first that is enough is wanted.
struct Setting {
  std::string key;
  std::string now;
  std::vector<std::string> values;
};

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
    settings.push_back(
        {"training.micro_batch", now.is_auto() ? "auto" : std::to_string(now.value()), {"1"}});
  }
  const Stage* const batches = session.pipeline().Find("batch");
  const std::vector<std::int64_t> dims =
      batches ? batches->output().dims : std::vector<std::int64_t>();
  if (!dims.empty() && dims[0] > 1) {
    Setting batch{"pipeline.batch.size", std::to_string(dims[0]), {}};
    for (std::int64_t fewer = dims[0] / 2; fewer >= 1; fewer /= 2) {
      batch.values.push_back(std::to_string(fewer));
    }
    settings.push_back(std::move(batch));
  }
  if (backbone_learns) settings.push_back({"model.frozen", "less", {"all"}});
  if (dims.size() == 4) {
    const std::int64_t side = std::max(dims[1], dims[2]);
    Setting size{"pipeline.augment.size",
                 "[" + std::to_string(dims[1]) + ", " + std::to_string(dims[2]) + "]",
                 {}};
    for (std::int64_t less = (side - 1) / kSideStep * kSideStep; less >= kSmallestSide;
         less -= kSideStep) {
      size.values.push_back("[" + std::to_string(less) + ", " + std::to_string(less) + "]");
    }
    if (!size.values.empty()) settings.push_back(std::move(size));
  }
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
std::optional<std::size_t> SmallestWith(const std::filesystem::path& config,
                                        std::vector<std::string> overrides,
                                        const std::vector<Change>& changes,
                                        const Session& session) {
  for (const Change& change : changes) overrides.push_back(change.key + "=" + change.value);
  try {
    Problems problems;
    const Recipe recipe = LoadRecipe(config, overrides, problems);
    problems.ThrowIfAny();
    Session changed(
        recipe,
        {.training = true,
         .model = ModelOf(recipe, Fetching::kForbidden),
         .add_source = [&](Pipeline& pipeline) { Listed::AddTo(pipeline, session.pipeline()); },
         .classes = session.resources().Find<Classes>()});
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

}  // namespace

std::vector<WayToFit> WaysToFit(const std::filesystem::path& config,
                                const std::vector<std::string>& overrides, const Session& session) {
  Problems problems;  // none: it was read before
  const Recipe recipe = LoadRecipe(config, overrides, problems);
  const std::size_t limit = session.ceiling().bytes;
  std::vector<WayToFit> ways;
  // Each setting alone, by the first of its values that is enough. Where none is: beside those
  // before it that are not either, each at its least, without those that it can do without.
  const auto smallest_with = [&](const std::vector<Change>& changes) {
    return SmallestWith(config, overrides, changes, session);
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

Error WithWaysToFit(const Error& refusal, const std::filesystem::path& config,
                    const std::vector<std::string>& overrides, Session& session) {
  if (refusal.kind() != ErrorKind::kMemory) return refusal;
  const bool does_fit = session.SmallestCeiling() <= session.ceiling().bytes;
  if (does_fit) return refusal;  // what the plan starts from could not be measured
  std::string remedy = refusal.remedy();
  const std::vector<WayToFit> ways = WaysToFit(config, overrides, session);
  if (!ways.empty()) remedy += "\n  Or change the job:";
  for (const WayToFit& way : ways) {
    remedy +=
        "\n    " + way.change + " (fits in " + ToWholeMebibytes(ByteSize{way.smallest_bytes}) + ")";
  }
  return {refusal.kind(), refusal.what(), remedy};
}

}  // namespace weir
