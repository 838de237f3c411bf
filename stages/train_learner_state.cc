// TrainLearner's state as others take it: to a model, to a checkpoint and back.
#include <utility>

#include "framework/error.h"
#include "stages/model/weights_digest.h"
#include "stages/train_learner.h"

namespace weir {
namespace {

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

void TrainLearner::DigestFrozen() {
  Sha256 digest;
  const LayerReader read = Hashed(source_->open_backbone(*model_), digest);
  for (std::size_t i = 0; i < model_->backbone().layers().size(); ++i) {
    if (!model_->learns(static_cast<int>(i))) read(static_cast<int>(i));
  }
  frozen_digest_ = digest.Finish();
}

void TrainLearner::ForEachTensor(const std::function<void(const NamedTensor&)>& write) const {
  const auto write_own = [&](const Parameter& parameter, std::span<float> run) {
    write({parameter.name, parameter.shape, run.subspan(parameter.offset, parameter.values)});
  };
  const ModelParameters& tables = trainable_->tables();
  Issue([this] { trainable_->FetchState(); });
  TorchAllocator::Install().Trim();
  Sha256 digest;
  const LayerReader read = Again([&] { return Hashed(source_->open_backbone(*model_), digest); });
  const std::vector<ConvLayer>& layers = model_->backbone().layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ConvLayer& layer = layers[i];
    const std::string& norm = layer.torchvision_batch_norm_name;
    if (model_->learns(static_cast<int>(i))) {
      write_own(tables.learning.at(layer.torchvision_name + ".weight"), trainable_->values());
      write_own(tables.learning.at(norm + ".weight"), trainable_->values());
      write_own(tables.learning.at(norm + ".bias"), trainable_->values());
      write_own(tables.statistics.at(norm + ".running_mean"), trainable_->statistics());
      write_own(tables.statistics.at(norm + ".running_var"), trainable_->statistics());
      continue;
    }
    const ConvWeights frozen = Again([&] { return read(static_cast<int>(i)); });
    const std::int64_t out = layer.out_channels;
    write({layer.torchvision_name + ".weight",
           {out, layer.in_channels / layer.groups, layer.kernel, layer.kernel},
           frozen.kernel});
    write({norm + ".weight", {out}, frozen.gamma});
    write({norm + ".bias", {out}, frozen.beta});
    write({norm + ".running_mean", {out}, frozen.mean});
    write({norm + ".running_var", {out}, frozen.variance});
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

CheckpointArrays TrainLearner::arrays() const {
  const ModelParameters& tables = trainable_->tables();
  CheckpointArrays arrays;
  arrays.runs.push_back({"", &tables.learning, trainable_->values()});
  arrays.runs.push_back({"", &tables.statistics, trainable_->statistics()});
  for (std::size_t i = 0; training_ && i < optimizer_.slot_names().size(); ++i) {
    arrays.runs.push_back({"optimizer." + std::string(optimizer_.slot_names()[i]) + ".",
                           &tables.learning, trainable_->slot(static_cast<int>(i))});
  }
  return arrays;
}

Declaration TrainLearner::declaration() const {
  Declaration all = DeclarationOf(*model_, source_->training.optimizer);
  all.emplace_back("frozen weights", "sha256 " + frozen_digest_.substr(0, kShownDigits));
  all.insert(all.end(), data_.begin(), data_.end());
  return all;
}

void TrainLearner::Save(const std::filesystem::path& file, const std::string& extra) const {
  Issue([this] { trainable_->FetchState(); });
  SaveCheckpoint(file, arrays(), declaration(), position_, extra);
}

std::string TrainLearner::Restore(const std::filesystem::path& file) {
  RestoredState state = RestoreCheckpoint(file, arrays(), declaration());
  Issue([this] { trainable_->ValuesChanged(); });
  position_ = std::move(state.position);
  return std::move(state.extra);
}

}  // namespace weir
