#include "stages/model/freeze.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "framework/config/suggestion.h"
#include "framework/config/yaml_source.h"
#include "framework/error.h"
#include "framework/text.h"

namespace weir {
namespace {

// Shell's globs without brackets: * is any text, ? any one character. Linear memory, and at worst
// |text|·|pattern| steps.
bool Matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// A name and the names of what holds it: "features.2.conv.0" gives "features.2" and "features" too.
bool MatchesModule(std::string_view pattern, std::string_view name) {
  while (!Matches(pattern, name)) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return false;
    name = name.substr(0, dot);
  }
  return true;
}

using Namings = std::vector<Naming>;

bool Covers(std::string_view pattern, const NetworkLayer& layer, const Namings& namings,
            int index) {
  if (Matches(pattern, layer.name) || Matches(pattern, layer.block)) return true;
  return std::ranges::any_of(namings, [&](const Naming& naming) {
    return naming.names_layers && !naming.is_keras &&
           MatchesModule(pattern, naming.layers[index].convolution);
  });
}

bool CoversBatchNorm(std::string_view pattern, const Namings& namings, int index) {
  return std::ranges::any_of(namings, [&](const Naming& naming) {
    return naming.names_layers && Matches(pattern, naming.layers[index].batch_norm);
  });
}

// "features.3" of "features.3.conv.0.0".
std::string OuterModule(const std::string& module) {
  const std::size_t dot = module.find('.');
  return dot == module.npos ? module : module.substr(0, module.find('.', dot + 1));
}

std::vector<std::string> KnownNames(const Backbone& backbone) {
  const Namings namings = backbone.namings();
  std::vector<std::string> names;
  for (int i = 0; i < backbone.network().size(); ++i) {
    const NetworkLayer& layer = backbone.network().layers()[i];
    names.push_back(layer.block);
    names.push_back(layer.name);
    for (const Naming& naming : namings) {
      if (naming.names_layers) names.push_back(naming.layers[i].convolution);
    }
    names.push_back(OuterModule(backbone.names(i).convolution));
  }
  return names;
}

[[noreturn]] void RefuseName(const FrozenConfig& frozen, const Backbone& backbone) {
  throw Error(ErrorKind::kConfig,
              "model.frozen: there is no layer " + InBackticks(frozen.through) + " in " +
                  std::string(backbone.kind().name) +
                  DidYouMean(frozen.through, KnownNames(backbone)),
              "Name a layer or block in Keras' or torchvision's way, such as " +
                  std::string(backbone.kind().blocks) + ".");
}

[[noreturn]] void RefusePattern(const std::string& pattern, const Backbone& backbone) {
  const Namings namings = backbone.namings();
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
                  std::string(backbone.kind().name) + DidYouMean(pattern, KnownNames(backbone)),
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
    const Namings namings = backbone.namings();
    for (const std::string& pattern : frozen.patterns) {
      bool covered = false;
      for (int i = 0; i < layers; ++i) {
        if (!Covers(pattern, backbone.network().layers()[i], namings, i)) continue;
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
