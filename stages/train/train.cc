#include "stages/train/train.h"

#include <algorithm>
#include <string>
#include <utility>

#include "framework/error.h"
#include "stages/device/device.h"
#include "stages/model/declared_model.h"
#include "stages/payloads.h"
#include "stages/picture_lists.h"
#include "stages/ranks/ranks.h"
#include "stages/train/class_weight.h"
#include "stages/train/confusion_counts.h"
#include "stages/train/metrics/bootstrap.h"
#include "stages/train/pass_figures.h"
#include "stages/train/stage_learner.h"
#include "stages/train/torch/torch_library.h"
#include "stages/train/training_config.h"

namespace weir {
namespace {

constexpr const char* kDeclareTheTraining = "Declare how it learns in the section `training`.";
constexpr const char* kPutFeatures = "Put `features` before it.";

// What must be the same where a training goes on, beside the model.
Declaration DataOf(const BuildContext& context, const Batching& batching, const Model& model,
                   const Ranks* ranks) {
  const auto lists = context.resources.Find<PictureLists>();
  const std::string batch = std::to_string(batching.size);
  Declaration data = {
      {"batch size", batching.drop_last ? batch + ", without what is over in an epoch" : batch},
      {"pictures to train on", lists ? lists->training : "not known"},
      {kPicturesToValidate, lists ? lists->validation : "not known"},
  };
  if (ranks && SumsGradients(model)) {
    data.push_back({"pieces of a batch", std::to_string(ranks->share.pieces())});
  }
  return data;
}

Batching BatchingOf(const BuildContext& context) {
  const auto batching = context.resources.Find<Batching>();
  return batching ? *batching : Batching{.size = static_cast<int>(context.upstream.dims[0])};
}

void CheckRanks(const Model& model, const Ranks& ranks, const Resources& resources) {
  const auto order = resources.Find<SampleOrder>();
  if (ranks.share.ranks > 1 && !(order && order->begin_share)) {
    throw Error(ErrorKind::kConfig,
                "the source gives every rank all of its pictures, and ranks share them out",
                "Begin the pipeline with `directory`, `list`, `manifest` or `webdataset`, or train "
                "with one process.");
  }
  if (!SumsGradients(model) || !NeedsWholeBatch(model)) return;
  throw Error(ErrorKind::kConfig,
              "`ranks` share a batch out, and a batch norm learns on the statistics of all of it",
              "Keep batch norms on stored statistics (batch_norm: stored, and none in the head), "
              "or train with one process and without `ranks`.");
}

void CheckValidation(const TrainingConfig& training, const Resources& resources) {
  if (!training.needs_validation()) return;
  const auto counts = resources.Find<SampleCounts>();
  if (counts && (*counts)[Split::kValidation] > 0) return;
  throw Error(
      ErrorKind::kConfig,
      std::string(training.early_stopping ? "training.early_stopping" : "training.keep: best") +
          " goes by the figures of validation, and there are no pictures to validate with",
      "Set validation_split of the source, or leave it out.");
}

// What the schedule is planned over, as far as the source knows.
ScheduleLength LengthOf(const BuildContext& context, const Batching& batching, int epochs) {
  ScheduleLength length{.epochs = epochs};
  const auto counts = context.resources.Find<SampleCounts>();
  if (!counts) return length;
  length.steps_per_epoch =
      ScheduleLength::StepsOf((*counts)[Split::kTrain], batching.size, batching.drop_last);
  length.is_validated = (*counts)[Split::kValidation] > 0;
  return length;
}

// What is measured: validation in a training, else what confusions are counted of.
PassFigures FiguresOf(const BuildContext& context, const TrainingConfig& training, int classes) {
  auto confusion = context.resources.Find<ConfusionCounts>();
  const bool is_measured = context.training || confusion;
  const Split split = confusion ? confusion->split() : Split::kValidation;
  std::uint64_t pictures = 0;
  if (confusion || (is_measured && !OfSort<PassMetric>(training.metrics).empty())) {
    const auto counts = context.resources.Require<SampleCounts>(
        Train::kName, "What is measured is of a source that knows how many pictures it has.");
    pictures = (*counts)[split];
  }
  return {is_measured ? training.metrics : ListOfMetrics(),
          {.classes = classes,
           .split = split,
           .pictures = pictures,
           .confusion = std::move(confusion),
           .bootstrap = context.resources.Find<Bootstrap>(),
           .threads = std::max(1, context.workers)}};
}

}  // namespace

bool SumsGradients(const Model& model) { return !GathersFeatures(model); }

std::vector<ResourceUse> Train::Needs() {
  return {ResourceOf<ModelSource>(kDeclareTheModel),
          ResourceOf<TrainingConfig>(kDeclareTheTraining), ResourceOf<Model>(kPutFeatures)};
}

std::vector<ResourceUse> Train::Provides() { return {ResourceOf<Learner>()}; }

Train::Train(const Params&, BuildContext& context) {
  auto source = context.resources.Require<ModelSource>(kName, kDeclareTheModel);
  auto training = context.resources.Require<TrainingConfig>(kName, kDeclareTheTraining);
  auto model = context.resources.Require<Model>(kName, kPutFeatures);
  if (context.upstream.dims.empty() || context.upstream.dims[0] < 1) {
    throw Error(ErrorKind::kConfig, "`train` needs batches of features of one size",
                "Put `batch` and `features` before it.");
  }
  model->CheckClassifier();
  if (source->about) source->about(*model);
  if (context.training) CheckValidation(*training, context.resources);
  const auto chosen = context.resources.Find<ChosenDevice>();
  PassFigures figures = FiguresOf(context, *training, static_cast<int>(model->classes().size()));
  std::vector<double> weights;
  if (context.training) {
    const auto counts = context.resources.Find<ClassCounts>();
    weights = WeightsOf(training->class_weight, model->classes(), counts.get());
  }
  const Batching batching = BatchingOf(context);
  const ScheduleLength length = LengthOf(context, batching, training->epochs);
  const auto ranks = context.training ? context.resources.Find<Ranks>() : nullptr;
  SampleCounts counts;
  if (ranks) {
    CheckRanks(*model, *ranks, context.resources);
    counts = *context.resources.Require<SampleCounts>(
        kName, "`ranks` share out what a source gives that knows how many pictures it has.");
  }
  Declaration data = DataOf(context, batching, *model, ranks.get());
  learner_ = OpenTorchLibrary().make_trainer({.model = std::move(model),
                                              .source = std::move(source),
                                              .config = std::move(training),
                                              .device = chosen ? chosen->device : nullptr,
                                              .figures = std::move(figures),
                                              .class_weights = std::move(weights),
                                              .data = std::move(data),
                                              .length = length,
                                              .ranks = ranks,
                                              .counts = std::move(counts),
                                              .batching = batching,
                                              .workers = context.workers,
                                              .training = context.training});
  context.resources.Put<Learner>(learner_);
}

Train::~Train() = default;

Footprint Train::footprint() const { return learner_->footprint(); }
void Train::Open(OpenContext& context) { learner_->Open(context); }
void Train::LowerLever(int micro_batches) { learner_->LowerInFlight(micro_batches); }
void Train::BeginPass(const Pass& pass) { learner_->BeginPass(pass); }
void Train::Consume(const FeatureBatch& batch, StageContext& context) {
  learner_->Consume(batch, context);
}
void Train::EndPass(const Pass& pass) { learner_->EndPass(pass); }

}  // namespace weir
