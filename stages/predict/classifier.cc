#include "stages/predict/classifier.h"

#include <span>
#include <utility>
#include <vector>

#include "framework/error.h"
#include "stages/features/onednn/onednn_prefix.h"

namespace weir {
namespace {

PrefixOptions OptionsOf(const ModelSource& source, const Model& model, Precision precision) {
  if (precision == Precision::kInt8 && !source.maps) {
    throw Error(ErrorKind::kConfig,
                "precision: int8 needs to know the maps of the backbone, which were not measured "
                "when this model was trained",
                "Set precision: float32, or train it with precision: int8.");
  }
  return {.last_layer = model.network().size() - 1,
          .pooling = model.prefix_pooling(),
          .precision = precision,
          .preprocessing = model.preprocessing(),
          .maps = source.maps};
}

// The features, and what the head computes with.
std::size_t OwnWorkspaceBytes(const std::shared_ptr<const Model>& model) {
  const auto features = static_cast<std::size_t>(ValuesIn(model->feature_dims()));
  return sizeof(float) * (features + HeadRunner::WorkspaceValues(model));
}

class ClassifierWorkspace final : public FrozenPrefix::Workspace {
 public:
  ClassifierWorkspace(std::unique_ptr<Workspace> of_prefix, std::size_t features,
                      std::size_t head_values)
      : of_prefix_(std::move(of_prefix)), features_(features), head_(head_values) {}

  Workspace& of_prefix() { return *of_prefix_; }
  float* features() { return features_.data(); }
  std::span<float> head() { return head_; }

 private:
  std::unique_ptr<Workspace> of_prefix_;
  std::vector<float> features_;
  std::vector<float> head_;
};

}  // namespace

Classifier::Classifier(const ModelSource& source, std::shared_ptr<const Model> model,
                       Precision precision)
    : model_(std::move(model)),
      prefix_(MakeOneDnnPrefix(model_->network(), source.open_backbone(*model_),
                               OptionsOf(source, *model_, precision))) {
  head_ = std::make_unique<const HeadRunner>(model_, [&](int layer, const HeadArray& array) {
    return source.load_head(*model_, layer, array, [] { return std::vector<float>(); });
  });
}

Classifier::Footprint Classifier::FootprintOf(const ModelSource& source,
                                              const std::shared_ptr<const Model>& model,
                                              Precision precision) {
  const PrefixFootprint prefix =
      OneDnnPrefixFootprint(model->network(), OptionsOf(source, *model, precision));
  return {.weights_bytes = prefix.weights_bytes + HeadRunner::WeightsBytes(model),
          .workspace_bytes = prefix.workspace_bytes + OwnWorkspaceBytes(model),
          .opening_bytes =
              LayerReadingBytes(model->network()) + source.opening_bytes + source.head_bytes};
}

std::size_t Classifier::weights_bytes() const {
  return prefix_->weights_bytes() + HeadRunner::WeightsBytes(model_);
}

std::size_t Classifier::workspace_bytes() const {
  return prefix_->workspace_bytes() + OwnWorkspaceBytes(model_);
}

std::unique_ptr<FrozenPrefix::Workspace> Classifier::MakeWorkspace() const {
  return std::make_unique<ClassifierWorkspace>(prefix_->MakeWorkspace(), feature_values(),
                                               head_->workspace_values());
}

void Classifier::Run(const std::uint8_t* pixels, Workspace& workspace, float* probabilities) const {
  auto& mine = static_cast<ClassifierWorkspace&>(workspace);
  prefix_->Run(pixels, mine.of_prefix(), mine.features());
  head_->Run(mine.features(), mine.head(), {probabilities, output_values()});
}

void Classifier::RunFeatures(const std::uint8_t* pixels, Workspace& workspace,
                             float* features) const {
  prefix_->Run(pixels, static_cast<ClassifierWorkspace&>(workspace).of_prefix(), features);
}

std::shared_ptr<const Model> ModelOf(SavedModel& saved) {
  return std::make_shared<const Model>(saved.source.config, saved.source.convention, saved.input,
                                       std::move(saved.classes), /*seed=*/0);
}

}  // namespace weir
