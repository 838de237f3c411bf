#include "pipelines/job/data_source.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "framework/config/override.h"
#include "framework/error.h"
#include "stages/files/remote/remote_address.h"
#include "stages/payloads.h"
#include "stages/sources/listing/lookalikes.h"

namespace weir {
namespace {

// How well the source fits all of the paths: as well as the one that it fits least.
DataFit FitOf(const DataReader& reader, const std::vector<std::filesystem::path>& paths) {
  DataFit least = DataFit::kMade;
  for (const std::filesystem::path& path : paths) least = std::min(least, reader.fit(path));
  return least;
}

// The parameters of `reader` but for the data: those of the run's source that are kept, and the
// settings. `own` is null where that source is of another kind.
YamlNode ParamsOf(const DataReader& reader, const std::vector<std::string>& settings,
                  const YamlNode* own) {
  YamlNode params = YamlNode::Map({});
  for (const std::string& key : reader.kept) {
    const std::optional<YamlNode> value = own ? own->Find(key) : std::nullopt;
    if (value && !value->is_null()) params = params.With({key, *value});
  }
  Problems problems;
  for (const std::string& setting : settings) {
    params = ApplyOverride(params, setting, problems, "--source");
  }
  for (const std::string& key : {reader.parameter, std::string("classes")}) {
    const std::optional<YamlNode> value = params.Find(key);
    if (value) problems.Add(value->position(), "`" + key + "` is DATA's, or the model's, already");
  }
  problems.ThrowIfAny();
  return params;
}

// "'ants' is gone", "'zebra' is new", "they are in another order".
std::string FirstDifference(const std::vector<std::string>& before,
                            const std::vector<std::string>& now) {
  const auto missing_in = [](const auto& names, const auto& others) -> std::optional<std::string> {
    const std::set<std::string_view> known(others.begin(), others.end());
    for (const std::string& name : names) {
      if (!known.contains(name)) return Shown(name);
    }
    return std::nullopt;
  };
  if (const auto gone = missing_in(before, now)) return *gone + " is gone";
  if (const auto added = missing_in(now, before)) return *added + " is new";
  return "they are in another order";
}

}  // namespace

const StageSpec& SourceFor(const GivenData& data, const Registry& stages, const StageConfig& own) {
  using Rank = std::tuple<DataFit, bool, bool>;
  const StageSpec* best = nullptr;
  Rank best_rank;
  for (const std::string& name : stages.names()) {
    const StageSpec& spec = *stages.Find(name);
    if (!spec.reads || spec.reads->use != data.use) continue;
    if (data.paths.size() > 1 && !spec.reads->takes_several) continue;
    const DataFit fit = FitOf(*spec.reads, data.paths);
    const Rank rank(fit, name == own.stage, spec.plugin.empty());
    if (fit == DataFit::kNone || (best && rank <= best_rank)) continue;
    best = &spec;
    best_rank = rank;
  }
  if (best) return *best;
  throw Error(ErrorKind::kData,
              "no source reads '" + ShownRemote(data.paths.front().native()) + "'",
              "`weir stages` lists the sources that there are.");
}

StageSpec SourceOf(const StageSpec& source, const GivenData& data, const StageConfig& own,
                   const std::vector<std::string>& classes) {
  const bool is_alike = own.stage == source.name;
  StageSpec made = source;
  made.make = [make = source.reads->make, &paths = data.paths, &classes,
               params = ParamsOf(*source.reads, data.settings, is_alike ? &own.params : nullptr)](
                  const YamlNode&, BuildContext& context) {
    return make(params, paths, classes, context);
  };
  return made;
}

StageSpec OwnSource(const StageSpec& source, const StageConfig& own,
                    const std::vector<std::string>& classes) {
  StageSpec made = source;
  made.make = [make = source.make, params = own.params, &classes](const YamlNode&,
                                                                  BuildContext& context) {
    BuildContext as_in_training = context;
    as_in_training.training = true;  // or it lists what there is to test with
    PlacedStage stage = make(params, as_in_training);
    const auto now = context.resources.Find<Classes>();
    if (!now || now->names == classes) return stage;
    throw Error(ErrorKind::kData,
                "the pictures of the run have other classes now than its model: " +
                    FirstDifference(classes, now->names),
                "Put them back as they were, or name labelled pictures behind the run.");
  };
  return made;
}

}  // namespace weir
