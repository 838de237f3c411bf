#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "framework/config/override.h"
#include "framework/error.h"
#include "framework/random.h"
#include "framework/text.h"
#include "pipelines/commands/commands.h"
#include "pipelines/job/data_check.h"
#include "pipelines/job/lost_classes.h"
#include "pipelines/job/trained_session.h"
#include "pipelines/report/classification_report.h"
#include "stages/learner.h"
#include "stages/sources/directory.h"
#include "stages/sources/lookalikes.h"
#include "stages/sources/manifest.h"
#include "stages/sources/manifest_reader.h"
#include "stages/sources/picture_names.h"
#include "stages/sources/shard_paths.h"
#include "stages/sources/webdataset.h"

namespace weir {
namespace {

// Whether `folder` holds shards rather than folders of classes.
bool HoldsShards(const std::filesystem::path& folder) {
  bool any = false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) return false;
    any = any || IsShardName(entry.path().filename().string());
  }
  return any;
}

struct SourceOfData {
  std::string stage;
  std::string key;                       // of where the data are
  std::vector<std::string> kept_keys{};  // of how a source of the run's reads them
};

// For what `data` is: a table, shards, or a folder with one sub-folder for each class.
SourceOfData SourceFor(const std::filesystem::path& data) {
  if (IsManifestName(data.string())) {
    return {std::string(Manifest::kName),
            "path",
            {"path_column", "label_column", "split_column", "root"}};
  }
  if (IsShardName(data.string()) || HoldsShards(data)) {
    return {std::string(Webdataset::kName), "shards", {"label", "image", "class_key"}};
  }
  return {std::string(Directory::kName), "path", {"follow_links"}};
}

// The parameters of that source, in which `own` are those of the run's, if that is of the same
// kind.
YamlNode ParamsOf(const SourceOfData& source, const EvaluateOptions& options, const YamlNode* own) {
  YamlNode params = YamlNode::Map({});
  for (const std::string& key : source.kept_keys) {
    const std::optional<YamlNode> value = own ? own->Find(key) : std::nullopt;
    if (value && !value->is_null()) params = params.With({key, *value});
  }
  Problems problems;
  for (const std::string& option : options.source) {
    params = ApplyOverride(params, option, problems, "--source");
  }
  for (const std::string& key : {source.key, std::string("classes")}) {
    const std::optional<YamlNode> value = params.Find(key);
    if (value) problems.Add(value->position(), "`" + key + "` is DATA's, or the model's, already");
  }
  problems.ThrowIfAny();
  const YamlNode path = YamlNode::Scalar(std::filesystem::absolute(options.data).string(), true);
  const bool is_list = source.key == "shards";
  return params.With({source.key, is_list ? YamlNode::List({path}) : path});
}

// With the model's classes, of which no tree is made: there may be 65,536.
template <class Source>
void AddSource(Pipeline& pipeline, const YamlNode& params,
               const std::vector<std::string>& classes) {
  Problems problems;
  auto parsed = Parse<typename Source::Params>(params, problems);
  problems.ThrowIfAny();
  parsed.classes = classes;
  pipeline.AddMade(std::string(Source::kName), [&](BuildContext& context) {
    return std::make_unique<Source>(std::move(parsed), context);
  });
}

void AddSource(Pipeline& pipeline, const EvaluateOptions& options, const StageConfig& own,
               const std::vector<std::string>& classes) {
  const SourceOfData source = SourceFor(options.data);
  const bool is_alike = own.stage == source.stage;
  const YamlNode params = ParamsOf(source, options, is_alike ? &own.params : nullptr);
  if (source.stage == Manifest::kName) {
    AddSource<Manifest>(pipeline, params, classes);
  } else if (source.stage == Webdataset::kName) {
    AddSource<Webdataset>(pipeline, params, classes);
  } else {
    AddSource<Directory>(pipeline, params, classes);
  }
}

// Finds the first of the classes that is `form` of a text: in NFC, or what it looks like. Holds 16
// bytes a class, and none of the forms.
class ClassesByForm {
 public:
  using Form = std::string (*)(std::string_view);

  ClassesByForm(const std::vector<std::string>& classes, Form form)
      : classes_(classes), form_(form) {
    for (std::size_t i = 0; i < classes.size(); ++i) {
      sorted_.emplace_back(StableHash(form(classes[i])), i);
    }
    std::sort(sorted_.begin(), sorted_.end());
  }

  // Null where there is none.
  const std::string* Find(std::string_view text) const {
    const std::string wanted = form_(text);
    const std::uint64_t hash = StableHash(wanted);
    auto at = std::lower_bound(sorted_.begin(), sorted_.end(), std::pair(hash, std::size_t{0}));
    for (; at != sorted_.end() && at->first == hash; ++at) {
      if (form_(classes_[at->second]) == wanted) return &classes_[at->second];
    }
    return nullptr;
  }

 private:
  const std::vector<std::string>& classes_;
  const Form form_;
  std::vector<std::pair<std::uint64_t, std::size_t>> sorted_;  // hashes of the forms, and of which
};

// Tells of the sub-folders that no class of the model has its name from: they are left alone.
void NameOtherFolders(const std::filesystem::path& data, const std::vector<std::string>& classes) {
  std::error_code error;
  if (!std::filesystem::is_directory(data, error)) return;
  const ClassesByForm names(classes, Composed), lookalikes(classes, Skeleton);
  for (const auto& entry : std::filesystem::directory_iterator(data, error)) {
    const std::string name = entry.path().filename().string();
    if (IsClutter(name) || !entry.is_directory(error) || names.Find(name)) continue;
    const std::string* const alike = lookalikes.Find(name);
    const std::string like =
        alike ? "; " + Shown(*alike) + " differs " + std::string(DifferenceOf(name, *alike)) : "";
    std::fprintf(stderr, "weir: %s is left out: the model has no class of that name%s\n",
                 OneLine(entry.path().string()).c_str(), like.c_str());
  }
}

}  // namespace

void EvaluateCommand(const EvaluateOptions& options) {
  const auto confusion = std::make_shared<ConfusionCounts>();
  std::unordered_set<std::uint64_t> dropped;  // hashes of the paths
  TrainedSession trained(
      options.run, options.overrides,
      {.add_source = [&](Pipeline& pipeline, const StageConfig& own,
                         const auto& classes) { AddSource(pipeline, options, own, classes); },
       .provides_classes = true,
       .confusion = confusion,
       .on_drop =
           [&dropped](const std::string&, const Drop& drop) {
             dropped.insert(StableHash(drop.sample));
             std::fprintf(stderr, "weir: %s: %s\n", OneLine(drop.sample).c_str(),
                          drop.reason.c_str());
           }});
  const std::vector<std::string>& classes = trained.classes();
  SayWhatIsLeftOut(trained.session());
  NameOtherFolders(options.data, classes);
  trained.Run(Split::kTest);
  const Metrics metrics = trained.learner().metrics();
  if (metrics.images == 0) {
    throw Error(ErrorKind::kData, "not one picture of " + options.data.string() + " could be used",
                "The lines above say why.");
  }
  for (const std::string& name :
       ClassesLostIn({.split = Split::kTest}, trained.session(),
                     [&](const std::string& path) { return dropped.contains(StableHash(path)); })) {
    std::fprintf(stderr, "weir: not one picture of the class %s could be used\n",
                 Shown(name).c_str());
  }
  const ClassificationReport report{metrics, classes, *confusion, dropped.size(),
                                    LeftOutByKind(trained.session())};
  options.json ? PrintJson(report, stdout) : PrintTable(report, stdout);
}

}  // namespace weir
