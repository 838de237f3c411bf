// A backbone's numbers all in memory, to look at and to change: what production reads a layer at a
// time.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "framework/random.h"
#include "stages/model/backbones/backbone_weights.h"
#include "stages/model/weights/weights_file.h"

namespace weir {

struct BackboneWeights {
  std::vector<ConvWeights> layers;  // as many as Network::layers(), in its order

  ConvWeights operator()(int layer) const { return layers.at(layer); }  // a LayerReader
};

inline BackboneWeights Whole(const LayerReader& read, const Network& model) {
  BackboneWeights backbone;
  for (int i = 0; i < model.size(); ++i) {
    backbone.layers.push_back(model.layers()[i].has_weights() ? read(i) : ConvWeights());
  }
  return backbone;
}

inline BackboneWeights RandomBackbone(const Network& model, std::uint64_t seed) {
  return Whole(RandomLayers(model, seed), model);
}

// Random weights whose batch norms are not the identity.
inline BackboneWeights UnevenBackbone(const Network& model) {
  BackboneWeights backbone = RandomBackbone(model, 5);
  for (std::size_t i = 0; i < backbone.layers.size(); ++i) {
    CounterRandom random(5, "batch norm", 0, i);
    ConvWeights& layer = backbone.layers[i];
    for (float& value : layer.gamma) value = static_cast<float>(random.Uniform(0.6, 1.1));
    for (float& value : layer.beta) value = static_cast<float>(random.Uniform(-0.5, 1.0));
    for (float& value : layer.mean) value = static_cast<float>(random.Uniform(-0.2, 0.2));
    for (float& value : layer.variance) value = static_cast<float>(random.Uniform(0.5, 2.0));
  }
  return backbone;
}

}  // namespace weir
