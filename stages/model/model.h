// The model of one run: the backbone, where it is cut in a frozen prefix and what learns, and the
// head.
//
//   pixels -> [prefix: layers 0..k, pooling if the head begins with it] -> features
//          -> [the rest of the backbone, the head] -> logits
//
// The prefix is everything from the front that neither learns nor draws random numbers, a pooling
// layer at the head of the head included. Immutable but for the weights; made by the stage
// `features`, read by `train`. Holds no weights until LoadWeights.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/model/backbones/backbone.h"
#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/frozen_prefix.h"
#include "stages/model/model_config.h"

namespace weir {

class Model {
 public:
  static constexpr std::string_view kResource = "model";

  // The names of the classes. Everyone who needs them shares one list, as they may take 16 MiB.
  using ClassNames = std::shared_ptr<const std::vector<std::string>>;

  // `input` is the size of the pictures; `classes` may be null where nothing learns. Throws
  // Error(kConfig) where the declaration makes no sense: a softmax in the middle of the head,
  // `units: classes` of fewer than two...
  Model(const ModelConfig& config, const Convention& convention, MapSize input, ClassNames classes,
        std::uint64_t seed);
  // The same with a list that only the model holds.
  Model(const ModelConfig& config, const Convention& convention, MapSize input,
        std::vector<std::string> classes, std::uint64_t seed);
  // Takes a backbone as it is.
  Model(const ModelConfig& config, Backbone backbone, ClassNames classes, std::uint64_t seed);

  const ModelConfig& config() const { return config_; }
  const Backbone& backbone() const { return backbone_; }
  const Network& network() const { return backbone_.network(); }
  const Preprocessing& preprocessing() const { return preprocessing_; }
  const std::vector<std::string>& classes() const { return *classes_; }
  std::uint64_t seed() const { return seed_; }

  // Throws Error(kConfig) where the head does not end in one value a class: where it is to be run.
  void CheckClassifier() const;

  bool learns(int layer) const { return learns_[layer]; }  // a layer of the backbone
  // Whether the layer's batch norm learns, on the statistics of the batch.
  bool normalises_the_batch(int layer) const;
  int prefix_layers() const { return prefix_layers_; }  // how many; 0 where all learns
  Pooling prefix_pooling() const { return prefix_pooling_; }
  // The shape of one sample behind the prefix: [C], [h, w, C] without pooling, [H, W, 3] without a
  // prefix.
  Shape feature_dims() const;

  // The head, with `units: classes` resolved; those before first_head_layer() are in the prefix.
  const Head& head() const { return config_.head; }
  int first_head_layer() const { return first_head_layer_; }

  // The shape of one sample as the head's layer reads it, and as it gives it.
  const Shape& head_input_dims(int layer) const { return head_dims_[layer]; }
  const Shape& head_output_dims(int layer) const { return head_dims_[layer + 1]; }

  std::vector<HeadArray> head_arrays(int layer) const {
    return config_.head[layer]->Arrays(head_dims_[layer]);
  }

  // Float values that learn (kernels, batch norms' gamma and beta, dense layers).
  std::size_t trained_values() const;

 private:
  void ResolveHead();

  ModelConfig config_;
  Backbone backbone_;
  Preprocessing preprocessing_;
  ClassNames classes_;  // never null
  std::uint64_t seed_;
  std::vector<bool> learns_;
  int prefix_layers_ = 0;
  Pooling prefix_pooling_ = Pooling::kNone;
  int first_head_layer_ = 0;
  std::vector<Shape> head_dims_;  // before each layer of the head, and behind the last
};

// What a run declares before its classes and picture size are known, and the weights that it starts
// from; put among the resources by the command, read by `features` and `train`.
struct ModelSource {
  static constexpr std::string_view kResource = "model source";
  ModelConfig config;
  Convention convention;
  // Called once the plan is accepted, by each stage that needs numbers: the backbone's, from the
  // file, the saved model or the seed.
  std::function<LayerReader(const Model&)> open_backbone;
  std::size_t opening_bytes = 0;  // what a call of it takes (WeightsFile::opening_bytes)
  // The values of an array of the head's layer `layer`, where a saved model is used; `initial`
  // gives what it would begin with otherwise. Empty function: it does.
  std::function<std::vector<float>(const Model&, int layer, const HeadArray& array,
                                   const std::function<std::vector<float>()>& initial)>
      load_head;
  std::size_t head_bytes = 0;  // what a call of it takes beside what it gives
  // Lines to say of what the model begins with, before a run does. Throws Error(kConfig) where that
  // does not fit the model. May be empty.
  std::function<std::vector<std::string>(const Model&)> about;
  // The statistics of the map behind each layer of the backbone, where they were measured: for
  // `precision: int8`.
  std::shared_ptr<const std::vector<MapStatistics>> maps;
};

}  // namespace weir
