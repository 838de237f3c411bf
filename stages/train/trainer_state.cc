// Trainer's state as others take it: to a model, to a checkpoint and back, from epoch to epoch.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/model/backbones/weights_digest.h"
#include "stages/train/trainer.h"

namespace weir {
namespace {

constexpr const char* kMonitorKey = "monitored figure";
constexpr const char* kPutItBack =
    "The checkpoint is kept: put the file back as it was, and --resume writes the model.";

// Reading weights that were read when the run began.
template <class Read>
auto Again(Read read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    throw Error(ErrorKind::kData, error.what(), kPutItBack);
  }
}

}  // namespace

void Trainer::AverageEpoch() {
  if (!config_->swa) return;
  const int count = config_->swa->Count(position_.phase_epoch + 1);
  if (count <= position_.averaged_epochs) return;
  Issue([&] { trainable_->MoveAverage(1.0 / count); });
  position_.averaged_epochs = count;
}

bool Trainer::has_average() const {
  if (!averages()) return false;
  return config_->ema ? position_.phase_step > 0 : position_.averaged_epochs > 0;
}

void Trainer::ExchangeAverage() {
  Issue([this] { trainable_->ExchangeAverage(); });
}

void Trainer::Remember(double monitored) {
  if (!std::isfinite(monitored)) {
    throw Error(ErrorKind::kInternal, "a monitored figure is no finite number");
  }
  std::vector<double>& all = position_.monitored;
  if (all.size() == ScheduleClock::kMostMonitored) all.erase(all.begin());
  all.push_back(monitored);
}

void Trainer::EndEpoch(std::optional<double> monitored) {
  ++position_.epoch;
  ++position_.phase_epoch;
  position_.next_sample = 0;
  if (monitored) Remember(*monitored);
  position_.metrics = {};
  std::lock_guard lock(mutex_);
  metrics_ = {};
}

void Trainer::DigestFrozen() {
  Sha256 digest;
  const LayerReader read = Hashed(source_->open_backbone(*model_), digest);
  const std::vector<NetworkLayer>& layers = model_->network().layers();
  for (int i = 0; i < model_->network().size(); ++i) {
    if (layers[i].has_weights() && !model_->learns(i)) read(i);
  }
  frozen_digest_ = digest.Finish();
}

void Trainer::ForEachTensor(const std::function<void(const NamedTensor&)>& write) const {
  const auto write_own = [&](const Parameter& parameter, std::span<float> run) {
    write({parameter.name, parameter.shape, run.subspan(parameter.offset, parameter.values)});
  };
  const ModelParameters& tables = trainable_->tables();
  Issue([this] { trainable_->FetchState(); });
  TorchAllocator::Install().Trim();
  Sha256 digest;
  const LayerReader read = Again([&] { return Hashed(source_->open_backbone(*model_), digest); });
  const std::vector<NetworkLayer>& layers = model_->network().layers();
  for (int i = 0; i < model_->network().size(); ++i) {
    const NetworkLayer& layer = layers[i];
    const LayerNames& names = model_->backbone().names(i);
    if (model_->learns(i)) {
      for (const std::string* name : {&names.kernel, &names.gamma, &names.beta}) {
        if (!name->empty()) write_own(tables.learning.at(*name), trainable_->values());
      }
      for (const std::string* name : {&names.mean, &names.variance}) {
        if (!name->empty()) write_own(tables.statistics.at(*name), trainable_->statistics());
      }
    } else if (layer.has_weights()) {
      ConvWeights frozen = Again([&] { return read(i); });
      const auto names_of = names.tensors();
      const std::array values = {&frozen.kernel, &frozen.gamma, &frozen.beta, &frozen.mean,
                                 &frozen.variance};
      for (std::size_t tensor = 0; tensor < values.size(); ++tensor) {
        if (names_of[tensor]->empty()) continue;
        write({*names_of[tensor], StoredShape(layer, tensor, /*is_keras=*/false), *values[tensor]});
      }
    }
  }
  if (training_ && digest.Finish() != frozen_digest_) {
    throw Error(ErrorKind::kData,
                source_->config.backbone.weights +
                    ": was changed while it was in use: the frozen layers have other numbers now "
                    "than those that the others learnt with",
                kPutItBack);
  }
  for (const Parameter& each : tables.learning.all()) {
    if (each.name.starts_with("head.")) write_own(each, trainable_->values());
  }
  for (const Parameter& each : tables.statistics.all()) {
    if (each.name.starts_with("head.")) write_own(each, trainable_->statistics());
  }
}

CheckpointArrays Trainer::arrays() const {
  const ModelParameters& tables = trainable_->tables();
  CheckpointArrays arrays = slot_arrays();
  if (averages()) {
    arrays.runs.push_back({"average.", &tables.learning, trainable_->average_values()});
    arrays.runs.push_back({"average.", &tables.statistics, trainable_->average_statistics()});
  }
  arrays.runs.insert(arrays.runs.begin(), {{"", &tables.learning, trainable_->values()},
                                           {"", &tables.statistics, trainable_->statistics()}});
  return arrays;
}

CheckpointArrays Trainer::slot_arrays() const {
  CheckpointArrays arrays;
  for (std::size_t i = 0; training_ && i < optimizer_.slot_names().size(); ++i) {
    arrays.runs.push_back({"optimizer." + std::string(optimizer_.slot_names()[i]) + ".",
                           &trainable_->tables().learning, trainable_->slot(static_cast<int>(i))});
  }
  return arrays;
}

std::string Trainer::AverageText() const {
  if (!averages()) return kNoAverage;
  const std::string name(config_->average());
  return config_->swa ? name + " from epoch " + std::to_string(config_->swa->from) : name;
}

Declaration Trainer::declaration() const {
  Declaration all = DeclarationOf(*model_, optimizer_.declaration());
  all.emplace_back(kAverageKey, AverageText());
  all.emplace_back(kMonitorKey, config_->monitor);
  all.emplace_back("frozen weights", "sha256 " + frozen_digest_.substr(0, kShownDigits));
  all.insert(all.end(), data_.begin(), data_.end());
  return all;
}

void Trainer::Save(const std::filesystem::path& file, const std::string& extra) const {
  Issue([this] { trainable_->FetchState(); });
  SaveCheckpoint(file, arrays(), declaration(), position_, extra);
}

std::string Trainer::Restore(const std::filesystem::path& file) {
  RestoredState state = RestoreCheckpoint(file, arrays(), declaration());
  Issue([this] { trainable_->ValuesChanged(); });
  position_ = std::move(state.position);
  PutBegun();
  // What is no longer reported is forgotten; what is new counts from here on.
  // In the order in which they are reported, which a checkpoint does not keep.
  std::vector<Metrics::Mean> means;
  for (const auto& metric : config_->metrics) {
    const auto found =
        std::ranges::find(position_.metrics.means, metric->name(), &Metrics::Mean::name);
    if (found != position_.metrics.means.end()) means.push_back(std::move(*found));
  }
  position_.metrics.means = std::move(means);
  return std::move(state.extra);
}

void Trainer::BeginPhase(const std::filesystem::path& file, bool keeps_optimizer) {
  Declaration same = {{kMonitorKey, config_->monitor}};  // what is best so far is a value of it
  same.insert(same.end(), data_.begin(), data_.end());
  CheckpointArrays arrays;
  if (keeps_optimizer) {
    same.emplace_back("optimizer", optimizer_.declaration());
    Issue([this] { trainable_->FetchState(); });
    arrays = slot_arrays();
  }
  TakenOver taken = TakeOverCheckpoint(file, arrays, same);
  position_ = {.epoch = taken.position.epoch, .step = taken.position.step};
  if (!keeps_optimizer) return;
  Issue([this] { trainable_->ValuesChanged(); });
  position_.optimizer_step = taken.position.optimizer_step;
  position_.begun = std::move(taken.position.begun);
  for (const std::string& name : taken.missing) {
    position_.begun.insert_or_assign(name, position_.optimizer_step);
  }
  PutBegun();
}

void Trainer::PutBegun() {
  std::vector<std::uint64_t> begun;
  for (const Parameter& parameter : trainable_->tables().learning.all()) {
    const auto found = position_.begun.find(parameter.name);
    begun.push_back(found == position_.begun.end() ? 0 : found->second);
  }
  trainable_->SetBegun(begun);
}

}  // namespace weir
