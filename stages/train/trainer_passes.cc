// What a Trainer does in a pass: one batch after the other, and the figures of the pass.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "framework/flow/parallel.h"
#include "framework/shape.h"
#include "stages/train/losses/softmax.h"
#include "stages/train/trainer.h"

namespace weir {

// Has features_ say where the features of a batch are, as long as this is there.
class Trainer::FeaturesInUse {
 public:
  FeaturesInUse(Trainer& trainer, const FeatureBatch& batch)
      : trainer_(trainer), device_(batch.device.get()) {
    trainer_.features_ = batch.values.data();
    if (device_) trainer_.Issue([this] { trainer_.features_ = device_->BeginUse(); });
  }
  FeaturesInUse(const FeaturesInUse&) = delete;
  FeaturesInUse& operator=(const FeaturesInUse&) = delete;
  ~FeaturesInUse() {
    trainer_.features_ = nullptr;
    if (!device_) return;
    try {
      trainer_.Issue([this] { device_->EndUse(); });
    } catch (const Error&) {
      // Whatever works on the device next fails as well, and says so.
    }
  }

 private:
  Trainer& trainer_;
  DeviceFeatures* const device_;
};

void Trainer::BeginPass(const Pass& pass) {
  if (pass.split == Split::kTrain && !training_) {
    throw Error(ErrorKind::kInternal, "a train pass in a pipeline that was built to measure");
  }
  std::lock_guard lock(mutex_);
  metrics_ = {};
  next_window_ = 0;
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
  const auto is_cancelled = [&context] { return context.cancelled(); };
  const std::uint64_t window = WindowOf(batch, pass);
  if (!IsSharedOut(pass)) {
    TakeWindow(window, batch, pass, is_cancelled);
    return;
  }
  if (window >= WindowsOf(pass)) return;  // what is over at the end, and left out on all ranks
  while (next_window_ < window && TakeWindow(next_window_, {}, pass, is_cancelled)) {
  }
  if (next_window_ == window) TakeWindow(window, batch, pass, is_cancelled);
}

// One batch, which is empty where none of its samples is this rank's, or all of those were dropped.
// False where the run is being stopped.
bool Trainer::TakeWindow(std::uint64_t window, const FeatureBatch& batch, const Pass& pass,
                         const IsCancelled& is_cancelled) {
  if (is_stopping_) return false;
  if (IsSharedOut(pass) && gathers_features_) {
    return TakeGathered(window, batch, pass, is_cancelled);
  }
  const bool is_computed = pass.split == Split::kTrain
                               ? LearnGradients(window, batch, pass, is_cancelled)
                               : Predict(batch, pass, is_cancelled);
  if (!is_computed) return false;
  std::span<const Sample> samples = batch.samples;
  if (IsSharedOut(pass)) {
    ++next_window_;
    is_stopping_ = gather_->Gather(*ranks_, samples, logits_.data(), logits_.data(), losses_);
    samples = gather_->samples();
  }
  Finish(pass, window, samples);
  return !is_stopping_;
}

// The same where each rank learns from the features of all.
bool Trainer::TakeGathered(std::uint64_t window, const FeatureBatch& batch, const Pass& pass,
                           const IsCancelled& is_cancelled) {
  FeatureBatch whole;
  whole.dims = model_->feature_dims();
  whole.values = AlignedBuffer<float>(batch_size_ * gathered_values());
  ++next_window_;
  AlignedBuffer<float> fetched;
  if (batch.device) {
    fetched = AlignedBuffer<float>(batch.samples.size() * gathered_values());
    batch.device->Fetch(fetched);
  }
  is_stopping_ =
      gather_->Gather(*ranks_, batch.samples, batch.device ? fetched.data() : batch.values.data(),
                      whole.values.data(), {});
  whole.samples = gather_->samples();
  if (whole.size() > 0) {
    const bool is_computed = pass.split == Split::kTrain
                                 ? LearnGradients(window, whole, pass, is_cancelled)
                                 : Predict(whole, pass, is_cancelled);
    if (!is_computed) return false;
  }
  Finish(pass, window, whole.samples);
  return !is_stopping_;
}

// Steps and reports, where there are samples, and stops where the ranks agreed on it.
void Trainer::Finish(const Pass& pass, std::uint64_t window, std::span<const Sample> samples) {
  const bool trains = pass.split == Split::kTrain;
  if (!samples.empty()) {
    if (trains) Step(pass, window, samples.size());
    Report(samples, pass);
  }
  if (trains && !samples.empty()) {
    position_.metrics = metrics();
    if (after_step) after_step();
  }
  if (is_stopping_) ranks_->stop();
}

void Trainer::Step(const Pass& pass, std::uint64_t window, std::size_t samples) {
  if (sums_pieces()) {
    const int pieces = PiecesIn(pass, window);
    Issue([&] { trainable_->SumPieces(pieces, 1.0 / static_cast<double>(samples)); });
  }
  ++position_.optimizer_step;
  Issue([&] { trainable_->Step(position_.optimizer_step, LearningRate()); });
  ++position_.step;
  ++position_.phase_step;
  if (config_->ema) {
    Issue([this] { trainable_->MoveAverage(config_->ema->Share(position_.phase_step)); });
  }
  position_.next_sample = pass.first_sample + (window + 1) * batch_size_;
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

void Trainer::EndPass(const Pass& pass) {
  if (IsSharedOut(pass)) {
    while (next_window_ < WindowsOf(pass) &&
           TakeWindow(next_window_, {}, pass, [] { return false; })) {
    }
  }
  TorchAllocator::Install().Trim();
  std::vector<Metrics::OfPass> of_pass = figures_.End();
  std::lock_guard lock(mutex_);
  metrics_.of_pass = std::move(of_pass);
}

void Trainer::CheckBatch(const FeatureBatch& batch, Split split) const {
  if (batch.dims != model_->feature_dims() || batch.size() > batch_size_) {
    throw Error(ErrorKind::kInternal, "a batch of features has not the shape that was declared");
  }
  const auto is_behind = [](const Sample& one, const Sample& other) {
    return one.order >= other.order;
  };
  if (std::ranges::adjacent_find(batch.samples, is_behind) != batch.samples.end()) {
    throw Error(ErrorKind::kInternal, "the samples of a batch are not in the order of the pass");
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

// Which batch of the pass that is, counted from 0.
std::uint64_t Trainer::WindowOf(const FeatureBatch& batch, const Pass& pass) const {
  return (batch.samples.front().order - pass.first_sample) / batch_size_;
}

std::uint64_t Trainer::WindowsOf(const Pass& pass) const {
  const std::uint64_t end = counts_[pass.split];
  const std::uint64_t samples = end - std::min(end, pass.first_sample);
  return ScheduleLength::StepsOf(samples, batch_size_, drops_last_ && pass.split == Split::kTrain);
}

// The last batch of a pass may have fewer.
int Trainer::PiecesIn(const Pass& pass, std::uint64_t window) const {
  const std::uint64_t begin = pass.first_sample + window * batch_size_;
  const std::uint64_t end = counts_[pass.split];
  return share_.PiecesOf(std::min<std::uint64_t>(batch_size_, end - std::min(end, begin)));
}

// By the samples' order in their piece, so that where one was dropped the others stay together.
std::vector<Trainer::Part> Trainer::Cut(const FeatureBatch& batch,
                                        std::uint64_t first_order) const {
  std::vector<Part> parts;
  std::uint64_t end = 0;  // the order behind the last part
  for (int i = 0; i < batch.size(); ++i) {
    const std::uint64_t order = batch.samples[i].order - first_order;
    if (order >= end) {
      const std::uint64_t piece = order / share_.piece_size;
      const std::uint64_t begin = piece * share_.piece_size;
      end = std::min(begin + ((order - begin) / micro_batch_ + 1) * micro_batch_,
                     begin + share_.piece_size);
      parts.push_back({.piece = static_cast<int>(piece), .begin = i});
    }
    ++parts.back().count;
  }
  return parts;
}

MicroBatch Trainer::MicroBatchOf(const FeatureBatch& batch, const Part& part, int epoch) const {
  return {.features = features_ + part.begin * ValuesIn(batch.dims),
          .is_on_device = batch.device != nullptr,
          .samples = std::span(batch.samples).subspan(part.begin, part.count),
          .epoch = epoch,
          // Over pieces the mean is taken of the sum, once it is known how many samples there are.
          .batch_size = sums_pieces() ? 1 : batch.size()};
}

void Trainer::ApplyLowering() {
  if (wanted_in_flight_ >= in_flight_) return;
  in_flight_ = wanted_in_flight_;
  trainable_->LowerInFlight(in_flight_);
  TorchAllocator::Install().Trim();
}

bool Trainer::LearnGradients(std::uint64_t window, const FeatureBatch& batch, const Pass& pass,
                             const IsCancelled& is_cancelled) {
  const std::vector<Part> parts = Cut(batch, pass.first_sample + window * batch_size_);
  const FeaturesInUse in_use(*this, batch);
  if (!sums_pieces()) {
    trainable_->BeginBatch();
    return LearnParts(batch, parts, pass.epoch, is_cancelled);
  }
  const int end_piece = std::min(share_.end_piece(), PiecesIn(pass, window));
  trainable_->BeginPieces();
  std::span<const Part> rest = parts;
  for (int piece = share_.first_piece(); piece < end_piece; ++piece) {
    const auto behind =
        std::ranges::find_if(rest, [=](const Part& part) { return part.piece != piece; });
    const std::span<const Part> own(rest.begin(), behind);
    rest = rest.subspan(own.size());
    trainable_->BeginBatch();
    if (!LearnParts(batch, own, pass.epoch, is_cancelled)) return false;
    Issue([&] { trainable_->EndPiece({0, piece}); });
  }
  return true;
}

// Several at once, their gradients added in their order. False where the run is being stopped.
bool Trainer::LearnParts(const FeatureBatch& batch, std::span<const Part> parts, int epoch,
                         const IsCancelled& is_cancelled) {
  const int count = static_cast<int>(parts.size());
  for (int first = 0; first < count; first += in_flight_) {
    if (is_cancelled()) return false;
    const int wave = std::min(in_flight_, count - first);
    ParallelFor(wave, [&](int slot) {
      const Part& part = parts[first + slot];
      const MicroBatch micro_batch = MicroBatchOf(batch, part, epoch);
      Issue([&] {
        trainable_->Learn(micro_batch, slot, LogitsOf(part),
                          std::span(losses_).subspan(part.begin, part.count));
      });
    });
    trainable_->AddGradients(wave);
  }
  return true;
}

bool Trainer::Predict(const FeatureBatch& batch, const Pass& pass,
                      const IsCancelled& is_cancelled) {
  if (batch.size() == 0) return true;
  const std::vector<Part> parts =
      Cut(batch, pass.first_sample + WindowOf(batch, pass) * batch_size_);
  const FeaturesInUse in_use(*this, batch);
  const int count = static_cast<int>(parts.size());
  for (int first = 0; first < count; first += in_flight_) {
    if (is_cancelled()) return false;
    ParallelFor(std::min(in_flight_, count - first), [&](int slot) {
      const Part& part = parts[first + slot];
      const MicroBatch micro_batch = MicroBatchOf(batch, part, 0);
      Issue([&] { trainable_->Predict(micro_batch, LogitsOf(part)); });
    });
  }
  if (pass.split == Split::kPredict) return true;
  for (int i = 0; i < batch.size(); ++i) {
    losses_[i] = config_->loss->Of(LogitsOf(i), batch.samples[i]);
  }
  return true;
}

void Trainer::Report(std::span<const Sample> samples, const Pass& pass) {
  if (pass.split != Split::kPredict) AddToMetrics(samples);
  const bool wanted = pass.split == Split::kTest || pass.split == Split::kPredict;
  if (!wanted || !on_prediction) return;
  std::vector<float> probabilities(classes());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Softmax(LogitsOf(static_cast<int>(i)), probabilities);
    on_prediction(samples[i], probabilities);
  }
}

void Trainer::AddToMetrics(std::span<const Sample> samples) {
  Metrics now = metrics();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::span<const float> logits = LogitsOf(static_cast<int>(i));
    ++now.images;
    now.loss_sum += losses_[i];
    for (const auto& metric : picture_metrics_) {
      now.Add(metric->name(), metric->Of(logits, samples[i]));
    }
    figures_.Add(samples[i], logits);
  }
  std::lock_guard lock(mutex_);
  metrics_ = now;
}

Metrics Trainer::metrics() const {
  std::lock_guard lock(mutex_);
  return metrics_;
}

}  // namespace weir
