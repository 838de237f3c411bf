#include "pipelines/session.h"

#include <tbb/info.h>

#include <cstdlib>
#include <set>
#include <utility>

#include "framework/byte_size.h"
#include "framework/host_memory.h"
#include "framework/plugin.h"
#include "framework/suggestion.h"
#include "stages/builtin.h"
#include "stages/features.h"

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
  for (std::size_t i = 0; i < config.pipeline.size(); ++i) {
    const StageConfig& stage = config.pipeline[i];
    const StageSpec* spec = Stages().Find(stage.stage);
    if (!spec) {
      problems.Add(stage.position, "there is no stage " + InBackticks(stage.stage) +
                                       DidYouMean(stage.stage, Stages().names()));
      continue;
    }
    if (!stage.from.empty() && (i == 0 || config.pipeline[i - 1].stage != stage.from)) {
      problems.Add(stage.position, "`from` of " + InBackticks(stage.stage) +
                                       " names another stage than the one before it: a pipeline "
                                       "of pictures is one chain");
    }
    spec->check(stage.params, problems);
  }
}

}  // namespace

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
  recipe.model = ParseModel(recipe.config.Section("model"), problems);
  recipe.training = ParseTraining(recipe.config.Section("training"), problems);
  return recipe;
}

Recipe LoadRecipe(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  Problems problems;
  Recipe recipe = LoadRecipe(path, overrides, problems);
  problems.ThrowIfAny();
  return recipe;
}

std::string ResolvedYaml(const Recipe& recipe) {
  Config config = recipe.config;
  for (StageConfig& stage : config.pipeline) {
    stage.params = Stages().Find(stage.stage)->resolve(stage.params);
  }
  config.sections.insert_or_assign("model", ToYaml(recipe.model));
  config.sections.insert_or_assign("training", ToYaml(recipe.training));
  return EmitYaml(ToYaml(config));
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
  if (options.classes) resources_.Put(options.classes);
  ceiling_ = HostCeilingOf(config_, HostMemoryLimits());
  budget_ = std::make_unique<MemoryBudget>(ceiling_.bytes);
  resources_.Put(std::make_shared<JobCeilings>(
      JobCeilings{budget_->usage().limit_bytes, config_.memory.device}));
  pipeline_ = std::make_unique<Pipeline>(PipelineOptions{.seed = config_.seed,
                                                         .workers = Workers(config_),
                                                         .training = options.training,
                                                         .on_drop = std::move(options.on_drop),
                                                         .trace = options.trace},
                                         resources_);
  bool first = true;
  for (const StageConfig& stage : config_.pipeline) {
    if (std::exchange(first, false) && options.add_source) {
      options.add_source(*pipeline_);
      continue;
    }
    if (options.add_sink && stage.stage == Features::kName) {
      options.add_sink(*pipeline_);
      break;
    }
    pipeline_->Add(*Stages().Find(stage.stage), stage.params, stage.position);
  }
}

ChosenDevice Session::device() const {
  const auto chosen = resources_.Find<ChosenDevice>();
  return chosen ? *chosen : ChosenDevice{nullptr, "no stage `prefetch` asks for another"};
}

std::size_t Session::ReserveBytes() const {
  return HeldMemory() + kReserveBytes + kReserveBytesPerWorker * Workers(config_) +
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
