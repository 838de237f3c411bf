// The folder of a saved model whose numbers are drawn: what a run leaves, without a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "framework/random.h"
#include "stages/learner.h"
#include "stages/model/export/saved_model.h"
#include "stages/model/export/yaml_json.h"
#include "stages/model/model.h"
#include "tests/support/head_layers.h"
#include "tests/support/whole_backbone.h"

namespace weir {

// A learner that has drawn its numbers and learns nothing.
class DrawnLearner final : public Learner {
 public:
  // The model outlives it.
  explicit DrawnLearner(const Model& model)
      : model_(model), backbone_(UnevenBackbone(model.network())) {}

  Metrics metrics() const override { return {}; }
  TrainingPosition position() const override { return {}; }
  void EndEpoch(std::optional<double>) override {}
  void AverageEpoch() override {}
  bool has_average() const override { return false; }
  void ExchangeAverage() override {}
  void BeginPhase(const std::filesystem::path&, bool) override {}
  void Save(const std::filesystem::path&, const std::string&) const override {}
  std::string Restore(const std::filesystem::path&) override { return ""; }

  void ForEachTensor(const std::function<void(const NamedTensor&)>& write) const override {
    for (int i = 0; i < model_.network().size(); ++i) {
      const NetworkLayer& layer = model_.network().layers()[i];
      if (!layer.has_weights()) continue;
      const LayerNames& names = model_.backbone().names(i);
      const ConvWeights weights = backbone_(i);
      const std::int64_t out = layer.out_channels;
      write({names.kernel,
             {out, layer.in_channels / layer.groups, layer.kernel, layer.kernel},
             weights.kernel});
      write({names.gamma, {out}, weights.gamma});
      write({names.beta, {out}, weights.beta});
      write({names.mean, {out}, weights.mean});
      write({names.variance, {out}, weights.variance});
    }
    for (const bool learns : {true, false}) {
      for (int i = 0; i < static_cast<int>(model_.head().size()); ++i) {
        for (const HeadArray& array : model_.head_arrays(i)) {
          if (array.learns == learns) write(Drawn(HeadArrayName(i, array.name), array));
        }
      }
    }
  }

 private:
  NamedTensor Drawn(std::string name, const HeadArray& array) const {
    values_.resize(array.values());
    CounterRandom random(3, name);
    const bool is_variance = array.name == "running_var";
    for (float& value : values_) {
      value = static_cast<float>(is_variance ? random.Uniform(0.5, 2) : random.Uniform(-0.2, 0.2));
    }
    return {std::move(name), array.shape, values_};
  }

  const Model& model_;
  const BackboneWeights backbone_;
  mutable std::vector<float> values_;
};

struct DrawnModelOptions {
  MapSize input{64, 64};
  std::vector<std::string> classes = {"ants", "bees", "wasps"};
  std::string pictures =  // as JSON; empty: it does not say
      R"([{"decode": {"max_megapixels": 50}}, {"augment": {"size": [64, 64], "zoom": 0.2}}])";
};

// MobileNetV2 of width 0.35 with a hidden layer in its head.
inline void SaveDrawnModel(const std::filesystem::path& folder,
                           const DrawnModelOptions& options = {}) {
  ModelConfig config;
  config.backbone.width = 0.35;
  config.head = {HeadAveragePooling(), HeadDense(32, Activation::kRelu),
                 HeadDenseOfClasses(Activation::kSoftmax)};
  const Model model(config, Convention::Torchvision(), options.input, options.classes, 1);
  const JsonLimits limits{.text_bytes = 4096, .value_bytes = 256};
  const YamlNode pictures =
      options.pictures.empty() ? YamlNode() : YamlFromJson(options.pictures, {.limits = limits});
  SaveModel(folder, model, DrawnLearner(model), nullptr, {.pictures = pictures}, {});
}

}  // namespace weir
