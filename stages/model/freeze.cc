#include "stages/model/freeze.h"

#include <algorithm>
#include <string>

#include "framework/config/suggestion.h"
#include "framework/error.h"
#include "framework/text.h"
#include "stages/model/layer_patterns.h"

namespace weir {
namespace {

[[noreturn]] void RefuseName(const FrozenConfig& frozen, const Backbone& backbone) {
  throw Error(ErrorKind::kConfig,
              "model.frozen: there is no layer " + InBackticks(frozen.through) + " in " +
                  std::string(backbone.kind().name) +
                  DidYouMean(frozen.through, KnownLayerNames(backbone)),
              "Name a layer or block in Keras' or torchvision's way, such as " +
                  std::string(backbone.kind().blocks) + ".");
}

[[noreturn]] void RefusePattern(const std::string& pattern, const Backbone& backbone) {
  const std::vector<Naming> namings = backbone.namings();
  bool batch_norm = false;
  for (int i = 0; i < backbone.network().size(); ++i) {
    batch_norm = batch_norm || CoversBatchNorm(pattern, namings, i);
  }
  if (batch_norm) {
    throw Error(ErrorKind::kConfig,
                "model.frozen: the pattern " + InBackticks(pattern) + " matches batch norms alone",
                "Match the convolutions: a batch norm freezes together with its own.");
  }
  throw Error(ErrorKind::kConfig,
              "model.frozen: the pattern " + InBackticks(pattern) + " matches no layer of " +
                  std::string(backbone.kind().name) +
                  DidYouMean(pattern, KnownLayerNames(backbone)),
              "Match layers or blocks in Keras' or torchvision's names, such as " +
                  std::string(backbone.kind().patterns) + ".");
}

}  // namespace

std::vector<bool> LearningLayers(const FrozenConfig& frozen, const Backbone& backbone) {
  const int layers = backbone.network().size();
  std::vector<bool> learns(layers, frozen.kind != FrozenConfig::Kind::kAll);
  if (frozen.kind == FrozenConfig::Kind::kThrough) {
    const int last = backbone.Find(frozen.through);
    if (last < 0) RefuseName(frozen, backbone);
    std::fill_n(learns.begin(), last + 1, false);
  }
  if (frozen.kind == FrozenConfig::Kind::kPatterns) {
    const std::vector<Naming> namings = backbone.namings();
    for (const std::string& pattern : frozen.patterns) {
      bool covered = false;
      for (int i = 0; i < layers; ++i) {
        if (!CoversLayer(pattern, backbone, namings, i)) continue;
        learns[i] = false;
        covered = true;
      }
      if (!covered) RefusePattern(pattern, backbone);
    }
  }
  for (int i = 0; i < layers; ++i) {
    learns[i] = learns[i] && backbone.network().layers()[i].has_weights();
  }
  return learns;
}

int PrefixLayers(const Network& network, const std::vector<bool>& learns) {
  const auto& layers = network.layers();
  int cut = static_cast<int>(std::find(learns.begin(), learns.end(), true) - learns.begin());
  for (int i = network.size() - 1; i >= cut; --i) {
    // It reads what lies in front of the cut: the cut moves to where that is the one map.
    for (const int map : {layers[i].input, layers[i].added, layers[i].scaled_by}) {
      if (map >= 0 && map + 1 < cut) cut = map + 1;
    }
  }
  return cut;
}

}  // namespace weir
