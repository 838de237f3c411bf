#include "stages/train/trainable_model.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>
#include <utility>

#include "framework/flow/parallel.h"
#include "framework/random.h"
#include "framework/shape.h"
#include "stages/train/backbone/backbone_layers.h"
#include "stages/train/class_weight.h"
#include "stages/train/gradient_runs.h"
#include "stages/train/head/head_operations.h"
#include "stages/train/micro_batch_run.h"
#include "stages/train/optimizers/on_device/optimizer_step_on_device.h"
#include "stages/train/optimizers/optimizer_step.h"
#include "stages/train/parameter_groups.h"
#include "stages/train/stage_learner.h"
#include "stages/train/tensors/float_run.h"
#include "stages/train/torch/torch_allocator.h"

namespace weir {
namespace {

constexpr std::size_t kValuesAtOnce = std::size_t{1} << 17;

// What others see of a run on the host: the run itself, or a place for a copy.
at::Tensor Seen(const at::Tensor& run, bool is_copy) {
  return is_copy ? at::zeros(run.sizes(), at::kFloat) : run;
}

void CopyTo(const at::Tensor& run, const Parameter& parameter, const std::vector<float>& values) {
  assert(values.size() == parameter.values);
  View(run, parameter)
      .copy_(at::from_blob(const_cast<float*>(values.data()), parameter.shape, at::kFloat));
}

std::vector<float> InitialValues(const HeadArray& array, const std::string& name,
                                 std::uint64_t seed) {
  using enum HeadArray::Initializer;
  std::vector<float> values(array.values(), array.initializer == kOnes ? 1.0f : 0.0f);
  if (array.initializer == kGlorotUniform) {
    const double limit = std::sqrt(6.0 / static_cast<double>(array.shape[0] + array.shape[1]));
    CounterRandom random(seed, "init/" + name);
    for (float& value : values) value = static_cast<float>(random.Uniform(-limit, limit));
  }
  return values;
}

}  // namespace

struct TrainableModel::Parts {
  Parts(const Model& model, const Optimizer& optimizer, const TrainableOptions& options)
      : device(options.torch_device.empty() ? at::Device(at::kCPU)
                                            : at::Device(options.torch_device)),
        arrays(MakeArrays(model, device, !options.torch_device.empty())),
        backbone(model, arrays, options.depthwise),
        head(MakeHead(model, arrays)),
        inference(InferenceSteps(model)),
        step(std::in_place, optimizer,
             options.training ? StepSpans(model, optimizer, arrays.tables.learning)
                              : std::vector<StepSpan>()) {
    const std::size_t values = arrays.tables.learning.values();
    for (std::size_t i = 0; options.training && i < optimizer.slot_names().size(); ++i) {
      slots.push_back(ZeroRun(values, device));
    }
    state = {arrays.values, arrays.statistics};
    state.insert(state.end(), slots.begin(), slots.end());
    if (options.averages) {
      average = {ZeroRun(values, device), ZeroRun(arrays.tables.statistics.values(), device)};
      state.insert(state.end(), average.begin(), average.end());
    }
    for (const at::Tensor& run : state) seen.push_back(Seen(run, arrays.is_issued));
    if (!options.training) return;
    learning = LearningSteps(model, options.activations);
    gradients.emplace(values, options.in_flight, device, options.ranks);
  }

  static ParameterArrays MakeArrays(const Model& model, at::Device device, bool is_issued) {
    ParameterArrays arrays;
    arrays.tables = DeclareParameters(model);
    arrays.is_issued = is_issued;
    arrays.values = ZeroRun(arrays.tables.learning.values(), device);
    arrays.statistics = ZeroRun(arrays.tables.statistics.values(), device);
    arrays.folded = ZeroRun(arrays.tables.folded.values(), device);
    return arrays;
  }

  int RowsOf(const MicroBatch& micro_batch) const {
    return std::max(full_rows, micro_batch.size());
  }
  at::Tensor Features(const Model& model, const MicroBatch& micro_batch) const;

  at::Device device;
  ParameterArrays arrays;
  BackboneLayers backbone;
  std::vector<std::unique_ptr<HeadOperation>> head;
  TrainingSteps inference, learning;
  std::optional<OptimizerStep> step;
  std::vector<at::Tensor> slots;    // the optimizer's
  std::vector<at::Tensor> average;  // that of values and that of statistics; empty without one
  std::vector<at::Tensor> state;    // values, statistics, slots, average
  std::vector<at::Tensor> seen;     // the same on the host
  std::optional<GradientRuns> gradients;  // only where it trains
  int full_rows = 0;                      // that every micro-batch is filled up to; 0: none is
};

TrainableModel::TrainableModel(const Model& model, const Optimizer& optimizer,
                               const TrainableOptions& options)
    : model_(model), optimizer_(optimizer), options_(options) {
  TorchAllocator::Install();
  UseOneTorchThread();
  const c10::InferenceMode inference;
  parts_ = std::make_unique<Parts>(model, optimizer, options);
}

TrainableModel::~TrainableModel() = default;

std::size_t TrainableModel::HeldBytes(const Model& model, const Optimizer& optimizer,
                                      bool training) {
  const ModelParameters tables = DeclareParameters(model);
  const std::size_t slots = training ? optimizer.slot_names().size() : 0;
  return (1 + slots) * tables.learning.bytes() + tables.statistics.bytes() + tables.folded.bytes();
}

std::size_t TrainableModel::StateBytes(const Model& model, const Optimizer& optimizer,
                                       bool training) {
  return HeldBytes(model, optimizer, training) - DeclareParameters(model).folded.bytes();
}

std::size_t TrainableModel::AverageBytes(const Model& model) {
  const ModelParameters tables = DeclareParameters(model);
  return tables.learning.bytes() + tables.statistics.bytes();
}

std::size_t TrainableModel::GradientBytes(const Model& model) {
  return DeclareParameters(model).learning.bytes();
}

std::size_t TrainableModel::SumBytes(const Model& model, const Ranks* ranks, bool on_device) {
  return GradientRuns::SumBytes(GradientBytes(model), ranks, on_device);
}

void TrainableModel::Load(const std::function<LayerReader()>& open_backbone,
                          const LoadHead& load_head) {
  const c10::InferenceMode inference;
  ParameterArrays& arrays = parts_->arrays;
  for (const at::Tensor& slot : parts_->slots) slot.fill_(optimizer_.slot_start());
  if (!parts_->backbone.empty()) parts_->backbone.Load(open_backbone());
  for (int i = model_.first_head_layer(); i < static_cast<int>(model_.head().size()); ++i) {
    for (const HeadArray& array : model_.head_arrays(i)) {
      const std::string name = HeadArrayName(i, array.name);
      const auto initial = [&] { return InitialValues(array, name, model_.seed()); };
      const std::vector<float> values =
          load_head ? load_head(model_, i, array, initial) : initial();
      CopyTo(array.learns ? arrays.values : arrays.statistics,
             (array.learns ? arrays.tables.learning : arrays.tables.statistics).at(name), values);
    }
  }
  for (std::size_t i = 0; i < parts_->average.size(); ++i) {
    parts_->average[i].copy_(parts_->state[i]);
  }
  parts_->backbone.Fold();
}

void TrainableModel::Rehearse(int samples, int batch_size) {
  if (!(options_.training && NeedsWholeBatch(model_))) parts_->full_rows = samples;
  const std::vector<Sample> all(samples, Sample{.index = 0, .label = 0, .path = ""});
  const MicroBatch zeros{.samples = all, .batch_size = batch_size};
  std::vector<float> logits(all.size() * model_.classes().size());
  if (!options_.training) return Predict(zeros, logits);
  std::vector<double> losses(all.size());
  BeginBatch();
  for (int begin = 0; begin < std::min(batch_size, 2 * samples); begin += samples) {
    Learn(zeros, 0, logits, losses);  // the first sets the gradients, each further one adds
    AddGradients(1);
  }
  Step(1, 0);
  if (parts_->average.empty()) return;
  ExchangeAverage();
  ExchangeAverage();
}

void TrainableModel::FetchState() const {
  const c10::InferenceMode inference;
  for (std::size_t i = 0; i < parts_->state.size(); ++i) {
    if (!parts_->seen[i].is_same(parts_->state[i])) parts_->seen[i].copy_(parts_->state[i]);
  }
}

void TrainableModel::ValuesChanged() {
  const c10::InferenceMode inference;
  for (std::size_t i = 0; i < parts_->state.size(); ++i) {
    if (!parts_->seen[i].is_same(parts_->state[i])) parts_->state[i].copy_(parts_->seen[i]);
  }
  parts_->backbone.Fold();
}

void TrainableModel::BeginBatch() { parts_->gradients->Begin(); }

at::Tensor TrainableModel::Parts::Features(const Model& model,
                                           const MicroBatch& micro_batch) const {
  const auto options = at::TensorOptions(device).dtype(at::kFloat);
  const Shape shape = BatchShape(micro_batch.size(), model.feature_dims());
  const Shape filled = BatchShape(RowsOf(micro_batch), model.feature_dims());
  if (micro_batch.features == nullptr) return at::zeros(filled, options);
  const at::Device place = micro_batch.is_on_device ? device : at::Device(at::kCPU);
  const at::Tensor given = at::for_blob(const_cast<float*>(micro_batch.features), shape)
                               .options(at::TensorOptions(place).dtype(at::kFloat))
                               .target_device(place)
                               .make_tensor();
  if (filled == shape) return given.to(device);
  at::Tensor rows = at::zeros(filled, options);
  rows.narrow(0, 0, micro_batch.size()).copy_(given);
  return rows;
}

void TrainableModel::Predict(const MicroBatch& micro_batch, std::span<float> logits) const {
  UseOneTorchThread();
  const c10::InferenceMode inference;
  const at::Tensor map = MicroBatchRun(parts_->inference, {parts_->backbone, parts_->head},
                                       micro_batch, parts_->Features(model_, micro_batch))
                             .RunAll()
                             .to(at::kCPU);
  std::copy_n(map.const_data_ptr<float>(), logits.size(), logits.begin());
}

void TrainableModel::Learn(const MicroBatch& micro_batch, int slot, std::span<float> logits,
                           std::span<double> losses) const {
  UseOneTorchThread();
  const c10::InferenceMode inference;
  const auto loss = [&](const at::Tensor& from) {
    at::Tensor gradient = from.to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    std::copy_n(gradient.const_data_ptr<float>(), logits.size(), logits.begin());
    const std::size_t classes = model_.classes().size();
    std::ranges::fill(SpanOf(gradient).subspan(logits.size()), 0.0f);
    for (int i = 0; i < micro_batch.size(); ++i) {
      losses[i] = WeightedGradient(*options_.loss, options_.class_weights,
                                   SpanOf(gradient).subspan(i * classes, classes),
                                   micro_batch.samples[i], 1.0 / micro_batch.batch_size);
    }
    return gradient.to(parts_->device);
  };
  const GradientSink sink = parts_->gradients->SinkOf(slot);
  const MicroBatchRun::Learning learning{loss, sink};
  MicroBatchRun(parts_->learning, {parts_->backbone, parts_->head}, micro_batch,
                parts_->Features(model_, micro_batch), &learning)
      .RunAll();
}

void TrainableModel::LowerInFlight(int in_flight) { parts_->gradients->LowerInFlight(in_flight); }

void TrainableModel::AddGradients(int slots) { parts_->gradients->AddWave(slots); }

void TrainableModel::BeginPieces() { parts_->gradients->BeginPieces(); }

void TrainableModel::EndPiece(PieceNode piece) {
  const c10::InferenceMode inference;
  parts_->gradients->EndPiece(piece);
}

void TrainableModel::SumPieces(int pieces, double factor) {
  const c10::InferenceMode inference;
  parts_->gradients->SumPieces(pieces, static_cast<float>(factor));
}

void TrainableModel::Step(std::uint64_t step, double learning_rate) {
  const at::Tensor& values = parts_->arrays.values;
  const at::Tensor& gradients = parts_->gradients->sum();
  parts_->backbone.Unfold(gradients);
  if (parts_->arrays.is_issued) {
    const c10::InferenceMode inference;
    ApplyOnDevice(*parts_->step, {values, gradients, parts_->slots}, step, learning_rate);
  } else {
    std::vector<std::span<float>> slots;
    for (const at::Tensor& slot : parts_->slots) slots.push_back(SpanOf(slot));
    parts_->step->Apply(SpanOf(values), SpanOf(gradients), slots, step, learning_rate);
  }
  parts_->backbone.Fold();
}

void TrainableModel::SetBegun(const std::vector<std::uint64_t>& begun) {
  parts_->step.emplace(optimizer_,
                       StepSpans(model_, optimizer_, parts_->arrays.tables.learning, begun));
}

void TrainableModel::MoveAverage(double share) {
  const c10::InferenceMode inference;
  for (std::size_t i = 0; i < parts_->average.size(); ++i) {
    parts_->average[i].lerp_(parts_->state[i], share);
  }
}

// In pieces, so that no second run is needed.
void TrainableModel::ExchangeAverage() {
  const c10::InferenceMode inference;
  for (std::size_t i = 0; i < parts_->average.size(); ++i) {
    const std::int64_t values = parts_->average[i].numel();
    for (std::int64_t begin = 0; begin < values; begin += kValuesAtOnce) {
      const std::int64_t count = std::min(static_cast<std::int64_t>(kValuesAtOnce), values - begin);
      const at::Tensor average = parts_->average[i].narrow(0, begin, count);
      const at::Tensor value = parts_->state[i].narrow(0, begin, count);
      const at::Tensor kept = value.clone();
      value.copy_(average);
      average.copy_(kept);
    }
  }
  parts_->backbone.Fold();
}

const ModelParameters& TrainableModel::tables() const { return parts_->arrays.tables; }
std::span<float> TrainableModel::values() { return SpanOf(parts_->seen[0]); }
std::span<float> TrainableModel::statistics() { return SpanOf(parts_->seen[1]); }
std::span<float> TrainableModel::average_values() {
  return SpanOf(parts_->seen[2 + parts_->slots.size()]);
}
std::span<float> TrainableModel::average_statistics() {
  return SpanOf(parts_->seen[3 + parts_->slots.size()]);
}
std::span<float> TrainableModel::slot(int index) { return SpanOf(parts_->seen[2 + index]); }

}  // namespace weir
