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

// `batch_size` is that of a batch, or of a piece of it where it is cut in pieces.
int MicroBatchSize(const Model& model, int wanted, int batch_size, bool in_pieces, bool training,
                   bool on_device) {
  const bool whole = training && NeedsWholeBatch(model);
  if (wanted > batch_size) {
    throw Error(ErrorKind::kConfig,
                "training.micro_batch: " + std::to_string(wanted) + " is more than " +
                    (in_pieces ? "a piece of the batch, of " : "the batch of ") +
                    std::to_string(batch_size),
                in_pieces ? "Give a smaller one, or fewer ranks.pieces."
                          : "Give a smaller one, or a larger batch.");
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

Trainer::Trainer(TrainerSetup setup)
    : model_(std::move(setup.model)),
      source_(std::move(setup.source)),
      config_(std::move(setup.config)),
      device_(std::move(setup.device)),
      figures_(std::move(setup.figures)),
      picture_metrics_(OfSort<PictureMetric>(config_->metrics)),
      class_weights_(std::move(setup.class_weights)),
      data_(std::move(setup.data)),
      length_(setup.length),
      optimizer_(*config_->optimizer),
      ranks_(std::move(setup.ranks)),
      counts_(std::move(setup.counts)),
      gathers_features_(GathersFeatures(*model_)),
      share_(ranks_ && !gathers_features_ ? ranks_->share : RankShare::Alone(setup.batching.size)),
      batch_size_(setup.batching.size),
      drops_last_(setup.batching.drop_last),
      micro_batch_(MicroBatchSize(*model_, config_->micro_batch.value_or(0), share_.piece_size,
                                  sums_pieces(), setup.training, device_ != nullptr)),
      may_cut_(config_->micro_batch.is_auto() && !(setup.training && NeedsWholeBatch(*model_))),
      workers_(setup.workers),
      training_(setup.training) {
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
  // Measured with ranks: without the thread, two of one worker each are a sixth slower.
  if (device_ || is_shared_out()) footprint.waiting_calls = 1;
  if (averages()) {
    footprint.held.push_back(
        {"average of the weights", MemoryTag::kOptimizer, TrainableModel::AverageBytes(*model_)});
  }
  if (sums_pieces() && training_) {
    footprint.held.push_back({"sum over pieces and ranks", MemoryTag::kOptimizer,
                              TrainableModel::SumBytes(*model_, ranks_.get(), device_ != nullptr)});
  }
  if (is_shared_out()) {
    const std::size_t features =
        gathers_features_ ? batch_size_ * gathered_values() * sizeof(float) : 0;
    footprint.held.push_back({"what ranks tell each other", MemoryTag::kActivation,
                              SampleGather::bytes(ranks_->share, gathered_values()) + features});
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
  const int micro_batches = (share_.piece_size + micro_batch_ - 1) / micro_batch_;
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
                                     .why = (sums_pieces() ? "a piece of " : "a batch of ") +
                                            std::to_string(share_.piece_size) + " is cut in " +
                                            std::to_string(micro_batches) + ", for " +
                                            std::to_string(workers_) + " threads"}};
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
      .depthwise = device_ ? device_->depthwise() : nullptr,
      .averages = averages(),
      .ranks = training_ && sums_pieces() ? ranks_.get() : nullptr};
  MakeTrainable(options);
  if (device_) ChooseMicroBatch();
  Issue([this] {
    trainable_->Load([this] { return source_->open_backbone(*model_); }, source_->load_head);
  });
  if (training_) DigestFrozen();
  logits_.resize(static_cast<std::size_t>(batch_size_) * classes());
  losses_.resize(batch_size_);
  if (is_shared_out()) gather_.emplace(ranks_->share, gathered_values());
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
    if (may_cut_) return LargestMicroBatch(share_.piece_size, fits);
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

}  // namespace weir
