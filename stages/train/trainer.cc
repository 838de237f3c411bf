#include "stages/train/trainer.h"

#include <algorithm>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "framework/flow/parallel.h"
#include "framework/shape.h"
#include "stages/device/micro_batches.h"
#include "stages/train/activation_plan.h"
#include "stages/train/losses/softmax.h"
#include "stages/train/parameter_groups.h"

namespace weir {
namespace {

constexpr int kMicroBatch = 2;            // measured: no larger one is faster on two threads
constexpr double kRecomputingPace = 0.8;  // measured: everything unfrozen, 16.5 images/s of 20

int MicroBatchOf(const Model& model, int wanted, int batch_size, bool training, bool on_device) {
  const bool whole = training && TrainableModel::NeedsWholeBatch(model);
  if (wanted > batch_size) {
    throw Error(ErrorKind::kConfig,
                "training.micro_batch: " + std::to_string(wanted) + " is more than the batch of " +
                    std::to_string(batch_size),
                "Give a smaller one, or a larger batch.");
  }
  if (whole && wanted != 0 && wanted != batch_size) {
    throw Error(ErrorKind::kConfig,
                "training.micro_batch: " + std::to_string(wanted) +
                    ", but a batch norm learns on the statistics of the whole batch of " +
                    std::to_string(batch_size),
                "Leave micro_batch out, or keep batch norms on stored statistics "
                "(batch_norm: stored, and none in the head).");
  }
  if (wanted != 0) return wanted;
  if (whole || on_device || model.feature_dims().size() == 1) return batch_size;
  return std::min(kMicroBatch, batch_size);
}

}  // namespace

Trainer::Trainer(std::shared_ptr<const Model> model, std::shared_ptr<const ModelSource> source,
                 std::shared_ptr<const TrainingConfig> config, std::shared_ptr<Device> device,
                 PassFigures figures, std::vector<double> class_weights, Declaration data,
                 ScheduleLength length, int batch_size, int workers, bool training)
    : model_(std::move(model)),
      source_(std::move(source)),
      config_(std::move(config)),
      device_(std::move(device)),
      figures_(std::move(figures)),
      picture_metrics_(OfSort<PictureMetric>(config_->metrics)),
      class_weights_(std::move(class_weights)),
      data_(std::move(data)),
      length_(length),
      optimizer_(*config_->optimizer),
      batch_size_(batch_size),
      micro_batch_(MicroBatchOf(*model_, config_->micro_batch.value_or(0), batch_size, training,
                                device_ != nullptr)),
      may_cut_(config_->micro_batch.is_auto() &&
               !(training && TrainableModel::NeedsWholeBatch(*model_))),
      workers_(workers),
      training_(training) {
  if (!training_) return;
  // What of the optimizer and the schedule does not fit the model is refused before anything runs.
  StepSpans(*model_, optimizer_, DeclareParameters(*model_).learning);
  config_->schedule->CheckFits(optimizer_.learning_rate(), length_, "training.schedule");
}

std::size_t Trainer::reading_bytes() const {
  std::size_t largest = 0;  // array of the head
  for (int i = model_->first_head_layer(); i < static_cast<int>(model_->head().size()); ++i) {
    for (const HeadArray& array : model_->head_arrays(i)) {
      largest = std::max(largest, array.values() * sizeof(float));
    }
  }
  return std::max(LayerReadingBytes(model_->network()) + source_->opening_bytes,
                  largest + source_->head_bytes);
}

std::size_t Trainer::activation_bytes(Activations activations) const {
  const std::size_t inference = InferenceBytes(*model_, micro_batch_);
  if (!training_) return inference;
  return std::max(inference, LearningBytes(*model_, micro_batch_, activations));
}

// A layer of the backbone is read only while there is no micro-batch.
Footprint Trainer::FootprintBesideDevice() const {
  return {.held = {{"copy of what learns", MemoryTag::kOptimizer,
                    TrainableModel::StateBytes(*model_, optimizer_, training_)},
                   {"a layer while it is read", MemoryTag::kModel,
                    std::max(reading_bytes(), StagingBytes(*model_, batch_size_))},
                   {"logits and losses", MemoryTag::kActivation, result_bytes()}}};
}

Footprint Trainer::footprint() const {
  Footprint footprint = device_ ? FootprintBesideDevice() : FootprintOnHost();
  if (averages()) {
    footprint.held.push_back(
        {"average of the weights", MemoryTag::kOptimizer, TrainableModel::AverageBytes(*model_)});
  }
  const std::vector<HeldPart> figures = figures_.held();
  footprint.held.insert(footprint.held.end(), figures.begin(), figures.end());
  return footprint;
}

Footprint Trainer::FootprintOnHost() const {
  const std::size_t gradients = training_ ? TrainableModel::GradientBytes(*model_) : 0;
  const std::size_t activations = activation_bytes(Activations::kKept);
  const std::size_t recomputed = activation_bytes(Activations::kRecomputed);
  const std::size_t reading = reading_bytes();  // as above
  const std::string each = "micro-batches of " + std::to_string(micro_batch_);
  const int micro_batches = (batch_size_ + micro_batch_ - 1) / micro_batch_;
  const std::size_t slots = training_ ? optimizer_.slot_names().size() : 0;
  const std::size_t state = slots * TrainableModel::GradientBytes(*model_);
  Footprint footprint{.held = {{"parameters", MemoryTag::kModel,
                                TrainableModel::HeldBytes(*model_, optimizer_, training_) - state},
                               {"optimizer's state", MemoryTag::kOptimizer, state},
                               {"a layer while it is read", MemoryTag::kModel,
                                reading - std::min({reading, activations, recomputed})},
                               {"logits and losses", MemoryTag::kActivation, result_bytes()}},
                      .lever = Lever{.name = each + " in flight",
                                     .bytes_each = activations + gradients,
                                     .min = 1,
                                     .max = std::clamp(workers_, 1, micro_batches),
                                     .why = "a batch of " + std::to_string(batch_size_) +
                                            " is cut in " + std::to_string(micro_batches) +
                                            ", for " + std::to_string(workers_) + " threads"}};
  if (recomputed < activations) {
    footprint.lever->low_memory = {
        .name = each + ", recomputed",
        .bytes_each = recomputed + gradients,
        .pace = kRecomputingPace,
        .why = "of each block only the input is kept, and its maps are computed once more"};
  }
  return footprint;
}

void Trainer::Open(OpenContext& context) {
  const Footprint planned = footprint();
  in_flight_ = std::max(1, context.lever);
  wanted_in_flight_ = in_flight_;
  std::vector<Lease> leases;
  leases.push_back(context.budget.Acquire(MemoryTag::kOptimizer, planned.held_bytes(), "train"));
  if (planned.lever) {
    leases.push_back(context.budget.Acquire(
        MemoryTag::kActivation, planned.lever->BytesEach(context.is_low_memory) * in_flight_,
        "train"));
  }
  grant_ = TorchAllocator::Install().Grant(std::move(leases), "train");
  const TrainableOptions options{
      .training = training_,
      .loss = config_->loss,
      .class_weights = class_weights_,
      .in_flight = in_flight_,
      .activations = context.is_low_memory && planned.lever && planned.lever->low_memory
                         ? Activations::kRecomputed
                         : Activations::kKept,
      .torch_device = device_ ? device_->torch_device() : "",
      .averages = averages()};
  MakeTrainable(options);
  if (device_) ChooseMicroBatch();
  Issue([this] {
    trainable_->Load([this] { return source_->open_backbone(*model_); }, source_->load_head);
  });
  if (training_) DigestFrozen();
  logits_.resize(static_cast<std::size_t>(batch_size_) * classes());
  losses_.resize(batch_size_);
  figures_.Open();
}

// On a device whatever was made before may have left too little room, and may yet make some.
void Trainer::MakeTrainable(const TrainableOptions& options) {
  for (;;) {
    try {
      Issue([&] { trainable_ = std::make_unique<TrainableModel>(*model_, optimizer_, options); });
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kMemory || !device_ || !device_->MakeRoom()) throw;
    }
  }
}

void Trainer::ChooseMicroBatch() {
  const auto fits = [this](int samples) {
    return device_->Fits([&] { trainable_->Rehearse(samples, batch_size_); });
  };
  const auto largest = [&] {
    if (may_cut_) return LargestMicroBatch(batch_size_, fits);
    return fits(micro_batch_) ? micro_batch_ : 0;
  };
  int found = largest();
  while (found == 0 && device_->MakeRoom()) found = largest();
  if (found > 0) {
    micro_batch_ = found;
  } else if (may_cut_) {
    device_->Refuse("train: not one sample fits on the GPU");
  } else {
    device_->Refuse("train: a micro-batch of " + std::to_string(micro_batch_) +
                    " samples does not fit on the GPU");
  }
}

void Trainer::Issue(const std::function<void()>& work) const {
  if (!device_) return work();
  device_->Issue("train: what learns does not fit on the GPU", work);
}

void Trainer::BeginPass(const Pass& pass) {
  if (pass.split == Split::kTrain && !training_) {
    throw Error(ErrorKind::kInternal, "a train pass in a pipeline that was built to measure");
  }
  std::lock_guard lock(mutex_);
  metrics_ = {};
  if (pass.split == Split::kTrain) {
    if (pass.first_sample == 0 || pass.epoch != position_.epoch) position_.metrics = {};
    position_.epoch = pass.epoch;
    position_.next_sample = pass.first_sample;
    metrics_ = position_.metrics;
  }
  figures_.Begin(pass);
}

void Trainer::Consume(const FeatureBatch& batch, StageContext& context) {
  const Pass& pass = context.pass();
  if (batch.size() == 0) return;
  CheckBatch(batch, pass.split);
  ApplyLowering();
  if (pass.split != Split::kTrain) {
    if (Predict(batch, context)) Report(batch, pass);
    return;
  }
  if (!LearnGradients(batch, context)) return;
  ++position_.optimizer_step;
  Issue([&] { trainable_->Step(position_.optimizer_step, LearningRate()); });
  ++position_.step;
  ++position_.phase_step;
  if (config_->ema) {
    Issue([this] { trainable_->MoveAverage(config_->ema->Share(position_.phase_step)); });
  }
  position_.next_sample = batch.next_order;
  Report(batch, pass);
  position_.metrics = metrics();
  if (after_step) after_step();
}

// The checkpoint holds all that changes of it.
double Trainer::LearningRate() const {
  const ScheduleClock clock{.step = position_.phase_step,
                            .steps_per_epoch = length_.steps_per_epoch.value_or(0),
                            .epochs = length_.epochs,
                            .monitored = position_.monitored,
                            .higher_is_better = config_->is_higher_better()};
  return config_->schedule->Rate(optimizer_.learning_rate(), clock);
}

void Trainer::EndPass() {
  TorchAllocator::Install().Trim();
  std::vector<Metrics::OfPass> of_pass = figures_.End();
  std::lock_guard lock(mutex_);
  metrics_.of_pass = std::move(of_pass);
}

void Trainer::CheckBatch(const FeatureBatch& batch, Split split) const {
  if (batch.dims != model_->feature_dims() || batch.size() > batch_size_) {
    throw Error(ErrorKind::kInternal, "a batch of features has not the shape that was declared");
  }
  if (split == Split::kPredict) return;
  for (const Sample& sample : batch.samples) {
    const bool is_known =
        IsLabel(sample.label) &&
        std::all_of(sample.mixture.begin(), sample.mixture.end(),
                    [this](const LabelPart& part) { return IsLabel(part.label); });
    if (!is_known) {
      throw Error(ErrorKind::kData,
                  "'" + sample.path + "' has no label among the " + std::to_string(classes()) +
                      " classes of the model",
                  "Give the folders of the " + std::string(Name(split)) +
                      " pictures the names of the classes.");
    }
  }
}

MicroBatch Trainer::Cut(const FeatureBatch& batch, int index, int epoch) const {
  const int begin = index * micro_batch_;
  const int count = std::min(micro_batch_, batch.size() - begin);
  return {.features = batch.values.data() + begin * ValuesIn(batch.dims),
          .samples = std::span(batch.samples).subspan(begin, count),
          .epoch = epoch,
          .batch_size = batch.size()};
}

void Trainer::ApplyLowering() {
  if (wanted_in_flight_ >= in_flight_) return;
  in_flight_ = wanted_in_flight_;
  trainable_->LowerInFlight(in_flight_);
  TorchAllocator::Install().Trim();
}

// False where the run is being stopped.
bool Trainer::LearnGradients(const FeatureBatch& batch, StageContext& context) {
  const int count = (batch.size() + micro_batch_ - 1) / micro_batch_;
  trainable_->BeginBatch();
  for (int first = 0; first < count; first += in_flight_) {
    if (context.cancelled()) return false;
    const int wave = std::min(in_flight_, count - first);
    ParallelFor(wave, [&](int slot) {
      const MicroBatch part = Cut(batch, first + slot, context.pass().epoch);
      const std::size_t begin = static_cast<std::size_t>(first + slot) * micro_batch_;
      const std::size_t values = static_cast<std::size_t>(part.size()) * classes();
      Issue([&] {
        trainable_->Learn(part, slot, std::span(logits_).subspan(begin * classes(), values),
                          std::span(losses_).subspan(begin, part.size()));
      });
    });
    trainable_->AddGradients(wave);
  }
  return true;
}

bool Trainer::Predict(const FeatureBatch& batch, StageContext& context) {
  const int count = (batch.size() + micro_batch_ - 1) / micro_batch_;
  for (int first = 0; first < count; first += in_flight_) {
    if (context.cancelled()) return false;
    ParallelFor(std::min(in_flight_, count - first), [&](int slot) {
      const MicroBatch part = Cut(batch, first + slot, 0);
      const std::size_t begin = static_cast<std::size_t>(first + slot) * micro_batch_;
      const std::size_t values = static_cast<std::size_t>(part.size()) * classes();
      Issue([&] {
        trainable_->Predict(part, std::span(logits_).subspan(begin * classes(), values));
      });
    });
  }
  if (context.pass().split == Split::kPredict) return true;
  for (int i = 0; i < batch.size(); ++i) {
    losses_[i] = config_->loss->Of(LogitsOf(i), batch.samples[i]);
  }
  return true;
}

void Trainer::Report(const FeatureBatch& batch, const Pass& pass) {
  if (pass.split != Split::kPredict) AddToMetrics(batch);
  const bool wanted = pass.split == Split::kTest || pass.split == Split::kPredict;
  if (!wanted || !on_prediction) return;
  std::vector<float> probabilities(classes());
  for (int i = 0; i < batch.size(); ++i) {
    Softmax(LogitsOf(i), probabilities);
    on_prediction(batch.samples[i], probabilities);
  }
}

void Trainer::AddToMetrics(const FeatureBatch& batch) {
  Metrics now = metrics();
  for (int i = 0; i < batch.size(); ++i) {
    const Sample& sample = batch.samples[i];
    ++now.images;
    now.loss_sum += losses_[i];
    for (const auto& metric : picture_metrics_) {
      now.Add(metric->name(), metric->Of(LogitsOf(i), sample));
    }
    figures_.Add(sample, LogitsOf(i));
  }
  std::lock_guard lock(mutex_);
  metrics_ = now;
}

Metrics Trainer::metrics() const {
  std::lock_guard lock(mutex_);
  return metrics_;
}

}  // namespace weir
