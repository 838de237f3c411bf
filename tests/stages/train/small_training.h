// A small model to train in tests, and batches for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/random.h"
#include "stages/model/model.h"
#include "stages/payloads.h"
#include "stages/train/training_config.h"
#include "tests/support/head_layers.h"
#include "tests/support/whole_backbone.h"

namespace weir {

// Random kernels with batch norms that matter: gamma, beta, mean and variance drawn too.
inline BackboneWeights LivelyBackbone(const Network& backbone) {
  BackboneWeights weights = RandomBackbone(backbone, 1);
  CounterRandom random(1, "batch norms");
  for (ConvWeights& layer : weights.layers) {
    for (float& gamma : layer.gamma) gamma = static_cast<float>(random.Uniform(0.6, 1.4));
    for (float& beta : layer.beta) beta = static_cast<float>(random.Uniform(-0.2, 0.6));
    for (float& mean : layer.mean) mean = static_cast<float>(random.Uniform(-0.3, 0.3));
    for (float& variance : layer.variance) variance = static_cast<float>(random.Uniform(0.5, 2));
  }
  return weights;
}

struct SmallTraining {
  explicit SmallTraining(FrozenConfig frozen, Convention convention = Convention::Keras()) {
    source->config.backbone.width = 0.35;
    source->config.frozen = std::move(frozen);
    source->config.head = {HeadAveragePooling(), HeadDense(6, Activation::kTanh),
                           HeadDenseOfClasses(Activation::kSoftmax)};
    source->convention = convention;
    source->open_backbone = [](const Model& model) { return LivelyBackbone(model.network()); };
  }

  std::shared_ptr<Model> MakeModel() const {
    return std::make_shared<Model>(source->config, source->convention, input, classes, 7);
  }

  std::shared_ptr<ModelSource> source = std::make_shared<ModelSource>();
  std::shared_ptr<TrainingConfig> config = std::make_shared<TrainingConfig>();
  MapSize input = {32, 32};
  std::vector<std::string> classes = {"ants", "bees", "wasps"};
};

// Features in [0, 3) with labels in turn; the values of a label lean to its own channels, so that
// they can be told apart.
inline FeatureBatch RandomFeatures(const Model& model, int samples, std::uint64_t first = 0) {
  FeatureBatch batch;
  batch.dims = model.feature_dims();
  const auto values = static_cast<std::size_t>(ValuesIn(batch.dims));
  batch.values = AlignedBuffer<float>(samples * values);
  const int classes = static_cast<int>(model.classes().size());
  for (int n = 0; n < samples; ++n) {
    const std::uint64_t index = first + n;
    const int label = static_cast<int>(index % classes);
    batch.samples.push_back(
        {.index = index, .label = label, .path = std::to_string(index), .order = index});
    CounterRandom random(3, "features", 0, index);
    for (std::size_t i = 0; i < values; ++i) {
      const double lean = static_cast<int>(i) % classes == label ? 1 : 0;
      batch.values.data()[n * values + i] = static_cast<float>(random.Uniform(0, 2) + lean);
    }
  }
  return batch;
}

}  // namespace weir
