#include "pipelines/job/session.h"

#include <tbb/info.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "framework/byte_size.h"
#include "framework/config/suggestion.h"
#include "framework/config/yaml_reader.h"
#include "framework/error.h"
#include "framework/memory/host_memory.h"
#include "framework/plugin/plugin.h"
#include "framework/text.h"
#include "pipelines/job/builtin.h"
#include "stages/features/features.h"
#include "stages/learner.h"
#include "stages/train/train.h"

namespace weir {
namespace {

const std::vector<std::string> kSections = {"model", "training"};

// What the process comes to hold beside the leases once it works: stacks of the workers, kernels
// that oneDNN compiles, the C allocator's slack. Measured with the article's job.
constexpr std::size_t kReserveBytes = std::size_t{8} << 20;
constexpr std::size_t kReserveBytesPerWorker = std::size_t{1} << 20;
// With a GPU besides, once it works: cuDNN's libraries are loaded at its first call (35 MiB,
// measured), and the driver keeps copies of the kernels that are used (not measured).
constexpr std::size_t kReserveBytesOfDevice = std::size_t{128} << 20;

// Beside the workers: the one that shows the progress.
constexpr int kOtherThreads = 1;

struct StageTable {
  void Load(const std::filesystem::path& plugin) {
    std::error_code absent;
    if (loaded.insert(std::filesystem::weakly_canonical(plugin, absent)).second) {
      LoadPlugin(plugin, registry);
    }
  }

  Registry registry;
  std::set<std::filesystem::path> loaded;
};

StageTable& Table() {
  static StageTable table = [] {
    StageTable made;
    AddBuiltinStages(made.registry);
    const char* folders = std::getenv("WEIR_PLUGIN_PATH");
    for (const auto& plugin : FindPlugins(folders ? folders : "")) made.Load(plugin);
    return made;
  }();
  return table;
}

void CheckStages(const Config& config, Problems& problems) {
  for (const StageConfig& stage : config.pipeline) {
    const StageSpec* spec = Stages().Find(stage.stage);
    if (!spec) {
      problems.Add(stage.position, "there is no stage " + InBackticks(stage.stage) +
                                       DidYouMean(stage.stage, Stages().names()));
      continue;
    }
    spec->check(stage.params, problems);
  }
}

bool HasStage(const Config& config, std::string_view stage) {
  return std::any_of(config.pipeline.begin(), config.pipeline.end(),
                     [&](const StageConfig& placed) { return placed.stage == stage; });
}

// Which stages stand on the way to the one at `last`, itself among them.
std::vector<bool> WayTo(const std::vector<StageConfig>& pipeline, std::size_t last) {
  std::vector<bool> is_on_it(pipeline.size());
  is_on_it[last] = true;
  for (std::size_t i = last + 1; i-- > 0;) {
    if (!is_on_it[i] || i == 0) continue;
    if (pipeline[i].from.empty()) is_on_it[i - 1] = true;
    for (std::size_t before = 0; before < i; ++before) {
      for (const std::string& name : pipeline[i].from) {
        if (pipeline[before].name() == name) is_on_it[before] = true;
      }
    }
  }
  return is_on_it;
}

// Where the first stage of that kind stands; the last one where there is none.
std::size_t PlaceOf(const std::vector<StageConfig>& pipeline, std::string_view stage) {
  for (std::size_t i = 0; i < pipeline.size(); ++i) {
    if (pipeline[i].stage == stage) return i;
  }
  return pipeline.size() - 1;
}

}  // namespace

bool Recipe::trains() const { return HasStage(config, Train::kName); }

std::shared_ptr<ModelSource> ModelOf(const Recipe& recipe, Fetching fetching) {
  return recipe.has_model ? SetUpModel(recipe.model, fetching) : nullptr;
}

const Registry& Stages() { return Table().registry; }

void LoadPlugins(const std::vector<std::filesystem::path>& plugins) {
  for (const std::filesystem::path& plugin : plugins) Table().Load(plugin);
}

Recipe LoadRecipe(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                  Problems& problems) {
  Recipe recipe;
  recipe.config = LoadConfig(path, overrides, kSections, problems);
  if (recipe.config.name.empty()) return recipe;  // not one key could be read
  LoadPlugins(recipe.config.plugins);
  CheckStages(recipe.config, problems);
  recipe.has_model = !recipe.config.Section("model").is_null() ||
                     HasStage(recipe.config, Train::kName) ||
                     HasStage(recipe.config, Features::kName);
  if (recipe.has_model) recipe.model = ParseModel(recipe.config.Section("model"), problems);
  recipe.training = ParseTraining(recipe.config.Section("training"), problems);
  return recipe;
}

Recipe LoadRecipe(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  Problems problems;
  Recipe recipe = LoadRecipe(path, overrides, problems);
  for (const std::string& warning : problems.warnings()) {
    std::fprintf(stderr, "weir: %s\n", warning.c_str());
  }
  problems.ThrowIfAny();
  return recipe;
}

std::string ResolvedYaml(const Recipe& recipe) {
  Config config = recipe.config;
  for (StageConfig& stage : config.pipeline) {
    stage.params = Stages().Find(stage.stage)->resolve(stage.params);
  }
  if (recipe.has_model) config.sections.insert_or_assign("model", ToYaml(recipe.model));
  if (recipe.trains()) config.sections.insert_or_assign("training", ToYaml(recipe.training));
  const YamlNode resolved = ToYaml(config);
  std::string text = EmitYaml(resolved);
  if (text.size() > kLargestConfigBytes || resolved.expanded_size() > kMostExpandedValues) {
    throw Error(ErrorKind::kConfig,
                "the configuration has " + std::to_string(resolved.expanded_size()) +
                    " values and " + ToRoundText(ByteSize{text.size()}) +
                    " of text once all is written out: `predict` and `--resume` could not read it "
                    "again, as " +
                    std::to_string(kMostExpandedValues) + " values and " +
                    ToRoundText(ByteSize{kLargestConfigBytes}) + " are the most",
                "Give long lists as a folder, a range or a table: photos-{0000..9999}.tar.");
  }
  return text;
}

HostCeiling HostCeilingOf(const Config& config, const std::vector<MemoryLimit>& limits) {
  if (config.memory.host.is_auto()) return {AutomaticHostLimit(limits), ""};
  HostCeiling ceiling{config.memory.host.value().bytes, ""};
  for (const MemoryLimit& limit : limits) {
    if (!limit.is_hard || UsableBytes(limit) >= ceiling.bytes) continue;
    ceiling = {UsableBytes(limit), "memory.host is " + ToText(config.memory.host.value()) +
                                       ", but " + limit.name + " allows " +
                                       ToRoundText(ByteSize{limit.bytes}) + " in all"};
  }
  return ceiling;
}

int Workers(const Config& config) {
  return config.threads.value_or(tbb::info::default_concurrency());
}

Session::Session(const Recipe& recipe, SessionOptions options) : config_(recipe.config) {
  resources_.Put(options.model);
  resources_.Put(std::make_shared<TrainingConfig>(recipe.training));
  resources_.Put(std::make_shared<Epochs>(Epochs{recipe.training.epochs}));
  if (options.classes) resources_.Put(options.classes);
  if (options.confusion) resources_.Put(options.confusion);
  ceiling_ = HostCeilingOf(config_, HostMemoryLimits("/", Workers(config_) + kOtherThreads));
  budget_ = std::make_unique<MemoryBudget>(ceiling_.bytes);
  resources_.Put(std::make_shared<JobCeilings>(
      JobCeilings{budget_->usage().limit_bytes, config_.memory.device}));
  pipeline_ = std::make_unique<Pipeline>(PipelineOptions{.seed = config_.seed,
                                                         .workers = Workers(config_),
                                                         .training = options.training,
                                                         .on_drop = std::move(options.on_drop),
                                                         .trace = options.trace},
                                         resources_);
  const std::vector<StageConfig>& stages = config_.pipeline;
  if (options.add_sink && !HasStage(config_, options.sink_in_place_of)) {
    throw Error(ErrorKind::kConfig,
                "the pipeline has no stage `" + std::string(options.sink_in_place_of) +
                    "`, before which this takes what it looks at",
                "Put it into the pipeline.");
  }
  const std::size_t last =
      PlaceOf(stages, options.add_sink ? options.sink_in_place_of : Train::kName);
  const std::vector<bool> is_needed = options.training && !options.add_sink
                                          ? std::vector<bool>(stages.size(), true)
                                          : WayTo(stages, last);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!is_needed[i]) continue;
    StagePlace place{stages[i].as, stages[i].from};
    if (i > 0 && place.from.empty()) place.from = {stages[i - 1].name()};
    for (std::string& name : place.from) {
      if (name == stages[0].name()) name = pipeline_->stages().front().name;
    }
    if (i == 0 && options.add_source) {
      options.add_source(*pipeline_);
    } else if (i == last && options.add_sink) {
      options.add_sink(*pipeline_, place.from);
    } else {
      pipeline_->Add(*Stages().Find(stages[i].stage), stages[i].params, stages[i].position, place);
    }
  }
}

ChosenDevice Session::device() const {
  const auto chosen = resources_.Find<ChosenDevice>();
  return chosen ? *chosen : ChosenDevice{nullptr, "no stage `prefetch` asks for another"};
}

std::size_t Session::ReserveBytes() const {
  return KnownHeldMemory() + kReserveBytes + kReserveBytesPerWorker * Workers(config_) +
         (device().device ? kReserveBytesOfDevice : 0);
}

const MemoryPlan& Session::Plan() {
  plan_ = pipeline_->Plan(budget_->usage().limit_bytes, ReserveBytes());
  return *plan_;
}

std::size_t Session::SmallestCeiling() {
  constexpr std::size_t kNoCeiling = std::size_t{1} << 62;
  return pipeline_->Plan(kNoCeiling, ReserveBytes()).smallest_bytes;
}

void Session::Open() {
  if (!plan_) Plan();
  pipeline_->Open(*budget_);
}

}  // namespace weir
