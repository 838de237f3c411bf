#include "pipelines/job/session.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>

#include "framework/error.h"
#include "pipelines/job/listed.h"
#include "pipelines/job/signals.h"
#include "pipelines/report/progress.h"
#include "stages/device/host_time.h"
#include "stages/features/features.h"
#include "stages/learner.h"
#include "stages/ranks/ranks.h"
#include "stages/train/torch/torch_library.h"
#include "stages/train/train.h"
#include "stages/train/training_config.h"

namespace weir {
namespace {

// With a GPU, beside what is the process's: CUDA's libraries have been loaded when that is asked,
// and worked once; the driver keeps copies of the kernels that are used later (not measured).
constexpr std::size_t kReserveBytesOfDevice = std::size_t{96} << 20;

// What is on its way between ranks, in Gloo's buffers and the kernel's (measured).
constexpr std::size_t kReserveBytesOfRanks = std::size_t{4} << 20;

// Beside the workers: the one that shows the progress, and one that waits for other ranks.
constexpr int kOtherThreads = 2;

// How many GPUs the processes of the job on this machine have one after the other: as many as they
// are, or fewer where CUDA_VISIBLE_DEVICES leaves this one so many.
int VisibleGpus() {
  const char* const listed = std::getenv("CUDA_VISIBLE_DEVICES");  // NOLINT(concurrency-mt-unsafe)
  if (listed == nullptr || *listed == '\0') return std::numeric_limits<int>::max();
  const std::string_view list(listed);
  return 1 + static_cast<int>(std::count(list.begin(), list.end(), ','));
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

bool KeepsFeatures(const std::vector<StageConfig>& pipeline) {
  return std::ranges::any_of(pipeline, [](const StageConfig& stage) {
    return stage.stage == Features::kName &&
           Parse<Features::Params>(stage.params).cache != FeaturePlace::kNowhere;
  });
}

// All phases of the training, whichever of them `recipe` is: the device is chosen once for all.
JobCourse CourseOf(const Recipe& recipe, const SessionOptions& options) {
  JobCourse course{.split = options.split, .keeps_features = KeepsFeatures(recipe.config.pipeline)};
  if (!options.training || !recipe.trains()) return course;
  for (const Recipe& phase : PhasesOf(recipe)) {
    course.phases.push_back({phase.model.frozen, phase.training.epochs});
  }
  return course;
}

// Where the pipeline of a session ends: where it trains, or gets another sink, else with its last
// stage.
std::size_t LastPlace(const std::vector<StageConfig>& pipeline, const Registry& registry,
                      const SessionOptions& options) {
  for (std::size_t i = 0; i < pipeline.size(); ++i) {
    const bool is_last =
        options.add_sink ? pipeline[i].stage == options.sink_in_place_of
                         : Declares(registry.Find(pipeline[i].stage)->provides, Learner::kResource);
    if (is_last) return i;
  }
  if (!options.add_sink) return pipeline.size() - 1;
  throw Error(ErrorKind::kConfig,
              "the pipeline has no stage `" + std::string(options.sink_in_place_of) +
                  "`, before which this takes what it looks at",
              "Put it into the pipeline.");
}

}  // namespace

Session::Session(const Recipe& recipe, SessionOptions options)
    : allowance_(options.allowance), config_(recipe.config) {
  const std::string& source = config_.pipeline.front().stage;
  source_provides_ = recipe.stages->registry().Find(source)->provides;
  resources_.Put(options.model);
  resources_.Put(std::make_shared<TrainingConfig>(recipe.training));
  if (recipe.ranks && options.training) resources_.Put(recipe.ranks);
  resources_.Put(std::make_shared<Epochs>(Epochs{recipe.training.epochs}));
  if (options.classes) resources_.Put(options.classes);
  if (options.listed) resources_.Share(options.listed->resources_, source_provides_);
  if (options.confusion) resources_.Put(options.confusion);
  if (options.bootstrap) resources_.Put(options.bootstrap);
  ceiling_ = allowance_
                 ? allowance_->ceiling
                 : HostCeilingOf(config_, HostMemoryLimits("/", Workers(config_) + kOtherThreads));
  budget_ = std::make_unique<MemoryBudget>(ceiling_.bytes);
  resources_.Put(std::make_shared<JobCeilings>(
      JobCeilings{budget_->usage().limit_bytes, config_.memory.device}));
  resources_.Put(std::make_shared<JobDevice>(
      JobDevice{.selection = config_.device, .own_gpu = config_.process % VisibleGpus()}));
  resources_.Put(std::make_shared<JobCourse>(CourseOf(recipe, options)));
  pipeline_ = std::make_unique<Pipeline>(PipelineOptions{.seed = config_.seed,
                                                         .workers = Workers(config_),
                                                         .training = options.training,
                                                         .on_drop = std::move(options.on_drop),
                                                         .trace = options.trace,
                                                         .is_interrupted = SignalReceived},
                                         resources_);
  AddStages(recipe.stages->registry(), options);
}

void Session::AddStages(const Registry& registry, const SessionOptions& options) {
  const std::vector<StageConfig>& stages = config_.pipeline;
  const std::size_t last = LastPlace(stages, registry, options);
  const std::vector<bool> is_needed = options.training && !options.add_sink
                                          ? std::vector<bool>(stages.size(), true)
                                          : WayTo(stages, last);
  // Before what is held is measured, to know whether a GPU's libraries have room, and to plan.
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const bool is_replaced = i == last && options.add_sink;
    if (is_needed[i] && !is_replaced && stages[i].stage == Train::kName) OpenTorchLibrary();
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!is_needed[i]) continue;
    StagePlace place{stages[i].as, stages[i].from};
    if (i > 0 && place.from.empty()) place.from = {stages[i - 1].name()};
    for (std::string& name : place.from) {
      if (name == stages[0].name()) name = pipeline_->stages().front().name;
    }
    const StageSpec& spec = *registry.Find(stages[i].stage);
    if (options.listed) resources_.Share(options.listed->resources_, spec.needs);
    if (i == 0 && options.source) {
      pipeline_->Add(*options.source, YamlNode());
    } else if (i == 0 && options.listed) {
      Listed::AddTo(*pipeline_, options.listed->pipeline());
    } else if (i == last && options.add_sink) {
      options.add_sink(*pipeline_, place.from);
    } else {
      pipeline_->Add(spec, stages[i].params, stages[i].position, place);
    }
  }
}

ChosenDevice Session::device() const {
  const auto chosen = resources_.Find<ChosenDevice>();
  return chosen ? *chosen : ChosenDevice{nullptr, "no stage `prefetch` asks for another"};
}

std::size_t Session::ReserveBytes() const {
  if (allowance_) return allowance_->reserve_bytes;
  const auto ranks = resources_.Find<Ranks>();
  return ProcessReserve(pipeline_->threads()) + (device().device ? kReserveBytesOfDevice : 0) +
         (ranks && ranks->share.ranks > 1 ? kReserveBytesOfRanks : 0);
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

void Session::OpenSource() {
  if (!plan_) Plan();
  pipeline_->OpenSource(*budget_);
}

// The resources end first, as a pipeline's do.
void Session::EndBehindSource() {
  Resources kept;
  kept.Share(resources_, source_provides_);
  resources_ = std::move(kept);
  pipeline_->EndBehindSource();
}

void Session::RunUnshown(const Pass& pass) {
  const Progress progress(
      {}, [] { return ProgressState(); },
      [this] {
        if (SignalReceived()) pipeline_->Stop();
      });
  pipeline_->Run(pass);
}

}  // namespace weir
