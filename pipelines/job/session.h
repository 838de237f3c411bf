// A pipeline of the built-in stages, made from a configuration and ready to be planned and run.
//
//   Session session(LoadWhole("article.yaml", overrides), {.training = true});
//   std::puts(session.Plan().ToTable().c_str());
//   session.Open();
//   session.pipeline().Run({.split = Split::kTrain});
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/config.h"
#include "framework/flow/resources.h"
#include "framework/graph/pipeline.h"
#include "framework/memory/host_memory.h"
#include "framework/memory/memory_budget.h"
#include "pipelines/job/model_setup.h"
#include "stages/device/device.h"
#include "stages/model/model.h"
#include "stages/payloads.h"
#include "stages/train/confusion_counts.h"
#include "stages/train/training_config.h"

namespace weir {

// Every stage there is: those that are built in, those of the plugins in the folders of
// WEIR_PLUGIN_PATH, and those of LoadPlugins().
const Registry& Stages();

// Each once, also where it was found in WEIR_PLUGIN_PATH. Throws as LoadPlugin does.
void LoadPlugins(const std::vector<std::filesystem::path>& plugins);

// Everything that a run is made of, checked as far as it can be without looking at any data.
struct Recipe {
  Config config;
  bool has_model = true;  // else the pipeline has no stage that needs one, and nothing is declared
  ModelConfig model;
  TrainingConfig training;

  bool trains() const;  // else it is run once
};

// Null where it has none. Throws as SetUpModel.
std::shared_ptr<ModelSource> ModelOf(const Recipe& recipe, Fetching fetching);

// Throws Error(kConfig) with every problem of the file, its stages and its sections. Names on
// standard error what should be written otherwise.
Recipe LoadRecipe(const std::filesystem::path& path, const std::vector<std::string>& overrides);
Recipe LoadRecipe(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                  Problems& problems);

// The configuration as it is after overrides, with every default written out and every path
// absolute. Throws Error(kConfig) where it has become too long to be read again.
std::string ResolvedYaml(const Recipe& recipe);

// `memory.host` as a number: less than is configured where the container, or a limit of the
// process, allows less. Then `reason` says so.
struct HostCeiling {
  std::size_t bytes = 0;
  std::string reason;
};
HostCeiling HostCeilingOf(const Config& config, const std::vector<MemoryLimit>& limits);
// `threads` as a number.
int Workers(const Config& config);

struct SessionOptions {
  bool training = true;                // else only what is on the way to `train` is made
  std::shared_ptr<ModelSource> model;  // where it comes from
  // Makes the source in place of the pipeline's first stage; empty: as configured.
  std::function<void(Pipeline&)> add_source{};
  // Ends the pipeline in place of the first stage of that kind and of what follows it, with a sink
  // that takes `from`; empty: as configured.
  std::string_view sink_in_place_of{};
  std::function<void(Pipeline&, const std::vector<std::string>& from)> add_sink{};
  std::shared_ptr<Classes> classes{};            // where the source does not provide them
  std::shared_ptr<ConfusionCounts> confusion{};  // to be filled in test passes; null: not wanted
  std::function<void(const std::string& stage, const Drop&)> on_drop{};
  Trace* trace = nullptr;  // outlives the session
};

class Session {
 public:
  // Makes the stages: lists the data, chooses the device, reads no picture and no weights.
  Session(const Recipe& recipe, SessionOptions options);

  // What it will hold. Throws Error(kMemory) where that does not fit.
  const MemoryPlan& Plan();

  const HostCeiling& ceiling() const { return ceiling_; }

  // Where the model runs and learns, and why there.
  ChosenDevice device() const;

  // The lowest ceiling that would work.
  std::size_t SmallestCeiling();

  // As Plan() made it.
  const MemoryPlan& plan() const { return *plan_; }

  // Takes the memory and loads the weights. Plan() is called first where it was not.
  void Open();

  Pipeline& pipeline() { return *pipeline_; }
  const Pipeline& pipeline() const { return *pipeline_; }
  const Resources& resources() const { return resources_; }

 private:
  std::size_t ReserveBytes() const;  // of what no stage leases

  Config config_;
  HostCeiling ceiling_;
  std::unique_ptr<MemoryBudget> budget_;
  std::unique_ptr<Pipeline> pipeline_;  // before the budget in its end
  Resources resources_;  // before the pipeline: what stages share there holds leases of its budgets
  std::optional<MemoryPlan> plan_;
};

}  // namespace weir
