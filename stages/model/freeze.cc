#include "stages/model/freeze.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "framework/error.h"
#include "framework/suggestion.h"
#include "framework/yaml_source.h"

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

// "block_3" of "block_3_expand"; the name itself where the layer stands alone.
std::string_view KerasBlock(std::string_view name) {
  for (std::string_view part : {"_expand", "_depthwise", "_project"}) {
    if (name.ends_with(part)) return name.substr(0, name.size() - part.size());
  }
  return name;
}

bool Covers(std::string_view pattern, const ConvLayer& layer) {
  return Matches(pattern, layer.name) || Matches(pattern, KerasBlock(layer.name)) ||
         MatchesModule(pattern, layer.torchvision_name) || MatchesModule(pattern, layer.timm_name);
}

bool CoversBatchNorm(std::string_view pattern, const ConvLayer& layer) {
  return Matches(pattern, layer.batch_norm_name) ||
         Matches(pattern, layer.torchvision_batch_norm_name) ||
         Matches(pattern, layer.timm_batch_norm_name);
}

std::vector<std::string> KnownNames(const MobileNetV2& backbone) {
  std::vector<std::string> names;
  for (const ConvLayer& layer : backbone.layers()) {
    names.emplace_back(KerasBlock(layer.name));
    names.push_back(layer.name);
    names.push_back(layer.torchvision_name);
    names.push_back(layer.timm_name);
    names.push_back("features." + std::to_string(layer.block));
  }
  return names;
}

[[noreturn]] void RefuseName(const FrozenConfig& frozen, const MobileNetV2& backbone) {
  throw Error(ErrorKind::kConfig,
              "model.frozen: there is no layer " + InBackticks(frozen.through) + " in " +
                  "mobilenet_v2" + DidYouMean(frozen.through, KnownNames(backbone)),
              "Name a layer or block in Keras' or torchvision's way, such as block_12 or "
              "features.13.");
}

[[noreturn]] void RefusePattern(const std::string& pattern, const MobileNetV2& backbone) {
  const auto& layers = backbone.layers();
  const bool batch_norm = std::any_of(layers.begin(), layers.end(), [&](const ConvLayer& layer) {
    return CoversBatchNorm(pattern, layer);
  });
  if (batch_norm) {
    throw Error(ErrorKind::kConfig,
                "model.frozen: the pattern " + InBackticks(pattern) + " matches batch norms alone",
                "Match the convolutions: a batch norm freezes together with its own.");
  }
  throw Error(ErrorKind::kConfig,
              "model.frozen: the pattern " + InBackticks(pattern) + " matches no layer of " +
                  "mobilenet_v2" + DidYouMean(pattern, KnownNames(backbone)),
              "Match layers or blocks in Keras' or torchvision's names, such as block_1_* or "
              "features.3.");
}

}  // namespace

std::vector<bool> LearningLayers(const FrozenConfig& frozen, const MobileNetV2& backbone) {
  const int layers = static_cast<int>(backbone.layers().size());
  std::vector<bool> learns(layers, frozen.kind != FrozenConfig::Kind::kAll);
  if (frozen.kind == FrozenConfig::Kind::kThrough) {
    const int last = backbone.Find(frozen.through);
    if (last < 0) RefuseName(frozen, backbone);
    std::fill_n(learns.begin(), last + 1, false);
  }
  if (frozen.kind == FrozenConfig::Kind::kPatterns) {
    for (const std::string& pattern : frozen.patterns) {
      bool covered = false;
      for (int i = 0; i < layers; ++i) {
        if (!Covers(pattern, backbone.layers()[i])) continue;
        learns[i] = false;
        covered = true;
      }
      if (!covered) RefusePattern(pattern, backbone);
    }
  }
  return learns;
}

int PrefixLayers(const MobileNetV2& backbone, const std::vector<bool>& learns) {
  const auto& layers = backbone.layers();
  int cut = static_cast<int>(std::find(learns.begin(), learns.end(), true) - learns.begin());
  for (int i = static_cast<int>(layers.size()) - 1; i >= cut; --i) {
    // Added behind the cut to what lies before it: the cut moves to where that is the one map.
    if (layers[i].residual >= 0 && layers[i].residual + 1 < cut) cut = layers[i].residual + 1;
  }
  return cut;
}

}  // namespace weir
