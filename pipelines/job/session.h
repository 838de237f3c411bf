// A pipeline of the built-in stages, made from a configuration and ready to be planned and run.
//
//   Session session(LoadRecipe(stages, "article.yaml", {}), {.training = true});
//   std::puts(session.Plan().ToTable().c_str());
//   session.Open();
//   session.pipeline().Run({.split = Split::kTrain});
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/config.h"
#include "framework/flow/resources.h"
#include "framework/graph/pipeline.h"
#include "framework/memory/memory_budget.h"
#include "pipelines/job/host_ceiling.h"
#include "pipelines/recipe/recipe.h"
#include "stages/device/device.h"
#include "stages/model/model.h"
#include "stages/payloads.h"
#include "stages/train/confusion_counts.h"
#include "stages/train/metrics/bootstrap.h"

namespace weir {

class Session;

// What a job may hold, as it was found when its process began.
struct MemoryAllowance {
  HostCeiling ceiling;
  // What the plan reserves: what the process held then, and what comes as it works.
  std::size_t reserve_bytes = 0;
};

struct SessionOptions {
  bool training = true;                // else only what is on the way to `train` is made
  Split split = Split::kTrain;         // where nothing learns: what the one pass goes over
  std::shared_ptr<ModelSource> model;  // where it comes from
  // In place of the pipeline's first stage; empty: as configured.
  std::optional<StageSpec> source{};
  // A session of the same data, which are not listed once more; it outlives this one. Where this
  // one is run, of the other one the source is open and nothing else (OpenSource, EndBehindSource).
  const Session* listed = nullptr;
  // What the first session of the process was allowed, which holds for those that follow.
  std::optional<MemoryAllowance> allowance{};
  // Ends the pipeline in place of the first stage of that kind and of what follows it, with a sink
  // that takes `from`; empty: as configured.
  std::string_view sink_in_place_of{};
  std::function<void(Pipeline&, const std::vector<std::string>& from)> add_sink{};
  std::shared_ptr<Classes> classes{};            // the classes where the source provides none
  std::shared_ptr<ConfusionCounts> confusion{};  // what passes fill; null: not wanted
  std::shared_ptr<Bootstrap> bootstrap{};        // how sure the metrics are; null: not wanted
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
  // Once it is planned.
  MemoryAllowance allowance() const { return {ceiling_, plan().reserve_bytes}; }

  // Where the model runs and learns, and why there.
  ChosenDevice device() const;

  // The lowest ceiling that would work.
  std::size_t SmallestCeiling();

  // As Plan() made it.
  const MemoryPlan& plan() const { return *plan_; }

  // Takes the memory and loads the weights. Plan() is called first where it was not.
  void Open();

  // The source alone, ahead of Open(): another session runs with it first (SessionOptions::listed).
  void OpenSource();

  // One pass of which nothing is shown; a signal stops it. Throws as Pipeline::Run.
  void RunUnshown(const Pass& pass);

  // Ends all but the source, with which another session goes on (SessionOptions::listed).
  void EndBehindSource();

  Pipeline& pipeline() { return *pipeline_; }
  const Pipeline& pipeline() const { return *pipeline_; }
  const Resources& resources() const { return resources_; }

 private:
  void AddStages(const Registry& registry, const SessionOptions& options);
  std::size_t ReserveBytes() const;  // memory that no stage leases

  const std::optional<MemoryAllowance> allowance_;
  std::vector<ResourceUse> source_provides_;
  Config config_;
  HostCeiling ceiling_;
  std::unique_ptr<MemoryBudget> budget_;
  std::unique_ptr<Pipeline> pipeline_;  // before the budget in its end
  Resources resources_;  // before the pipeline: what stages share there holds leases of its budgets
  std::optional<MemoryPlan> plan_;
};

}  // namespace weir
