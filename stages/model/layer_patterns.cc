#include "stages/model/layer_patterns.h"

#include <algorithm>
#include <cstddef>

namespace weir {
namespace {

// "features.3" of "features.3.conv.0.0".
std::string OuterModule(const std::string& module) {
  const std::size_t dot = module.find('.');
  return dot == module.npos ? module : module.substr(0, module.find('.', dot + 1));
}

}  // namespace

bool MatchesPattern(std::string_view pattern, std::string_view text) {
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

bool MatchesModule(std::string_view pattern, std::string_view name) {
  while (!MatchesPattern(pattern, name)) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return false;
    name = name.substr(0, dot);
  }
  return true;
}

bool CoversLayer(std::string_view pattern, const Backbone& backbone,
                 const std::vector<Naming>& namings, int layer) {
  const NetworkLayer& of = backbone.network().layers()[layer];
  if (MatchesPattern(pattern, of.name) || MatchesPattern(pattern, of.block)) return true;
  return std::ranges::any_of(namings, [&](const Naming& naming) {
    return naming.names_layers && !naming.is_keras &&
           MatchesModule(pattern, naming.layers[layer].convolution);
  });
}

bool CoversBatchNorm(std::string_view pattern, const std::vector<Naming>& namings, int layer) {
  return std::ranges::any_of(namings, [&](const Naming& naming) {
    return naming.names_layers && MatchesPattern(pattern, naming.layers[layer].batch_norm);
  });
}

std::vector<std::string> KnownLayerNames(const Backbone& backbone) {
  const std::vector<Naming> namings = backbone.namings();
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

}  // namespace weir
