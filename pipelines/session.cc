#include "pipelines/session.h"

#include <tbb/info.h>

#include <utility>

#include "framework/host_memory.h"
#include "framework/suggestion.h"
#include "stages/builtin.h"
#include "stages/device.h"

namespace weir {
namespace {

const std::vector<std::string> kSections = {"model", "training"};

// What the process comes to hold beside the leases once it works: stacks of the workers, kernels
// that oneDNN compiles, the C allocator's slack. Measured with the article's job.
constexpr std::size_t kReserveBytes = std::size_t{24} << 20;
constexpr std::size_t kReserveBytesPerWorker = std::size_t{2} << 20;

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

const Registry& Stages() {
  static const Registry registry = [] {
    Registry made;
    AddBuiltinStages(made);
    return made;
  }();
  return registry;
}

Recipe LoadRecipe(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                  Problems& problems) {
  Recipe recipe;
  recipe.config = LoadConfig(path, overrides, kSections, problems);
  if (recipe.config.name.empty()) return recipe;  // not one key could be read
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

std::size_t HostLimit(const Config& config) {
  if (config.memory.host.is_auto()) return AutomaticHostLimit(HostMemoryLimits());
  return config.memory.host.value().bytes;
}

int Workers(const Config& config) {
  return config.threads.value_or(tbb::info::default_concurrency());
}

Session::Session(const Recipe& recipe, SessionOptions options) : config_(recipe.config) {
  resources_.Put(options.model);
  if (options.classes) resources_.Put(options.classes);
  budget_ = std::make_unique<MemoryBudget>(HostLimit(config_));
  pipeline_ = std::make_unique<Pipeline>(PipelineOptions{.seed = config_.seed,
                                                         .workers = Workers(config_),
                                                         .training = options.training,
                                                         .on_drop = std::move(options.on_drop)},
                                         resources_);
  bool first = true;
  for (const StageConfig& stage : config_.pipeline) {
    if (std::exchange(first, false) && options.add_source) {
      options.add_source(*pipeline_);
      continue;
    }
    pipeline_->Add(*Stages().Find(stage.stage), stage.params, stage.position);
  }
}

const MemoryPlan& Session::Plan() {
  const auto chosen = resources_.Find<ChosenDevice>();
  if (!plan_ && chosen && chosen->device) {
    // Before the reserve is measured: CUDA's context takes memory of the host, too.
    chosen->device->SetLimit(DeviceLimit(config_.memory.device, *chosen->device));
  }
  const std::size_t reserve =
      HeldMemory() + kReserveBytes + kReserveBytesPerWorker * Workers(config_);
  plan_ = pipeline_->Plan(budget_->usage().limit_bytes, reserve);
  return *plan_;
}

void Session::Open() {
  if (!plan_) Plan();
  pipeline_->Open(*budget_);
}

}  // namespace weir
