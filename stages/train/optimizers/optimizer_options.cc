#include "stages/train/optimizers/optimizer_options.h"

#include <algorithm>
#include <cstddef>

#include "framework/config/yaml_emitter.h"

namespace weir {
namespace {

std::string InWords(double number) { return EmitFlow(detail::WriteNumber(number)); }

// A step that takes off all of the weights, or more, would turn their signs. `key` is written as it
// stands under the optimizer, `field` is the one to show.
void CheckShare(const Blame& blame, std::string_view field, const std::string& key, double decay,
                double rate) {
  if (decay * rate < 1) return;
  blame(field, "`" + key + "` takes less than " + InWords(1 / rate) + " at a learning rate of " +
                   InWords(rate) + ", not " + InWords(decay) +
                   ": a step would take off all of the weights");
}

}  // namespace

std::optional<NamePatterns> ParamType<NamePatterns>::Read(const YamlNode& node,
                                                          const FieldRules& rules,
                                                          Problems& problems) {
  NamePatterns patterns;
  if (node.is_scalar()) {
    patterns.list = {node.scalar()};
  } else if (node.is_list() && !node.items().empty()) {
    auto list = ParamType<std::vector<std::string>>::Read(node, rules, problems);
    if (!list) return std::nullopt;
    patterns.list = *std::move(list);
  }
  if (patterns.list.empty() || std::ranges::count(patterns.list, "") > 0) {
    detail::AddWrongType(node, rules, Words(rules).one, problems);
    return std::nullopt;
  }
  return patterns;
}

YamlNode ParamType<NamePatterns>::Write(const NamePatterns& patterns, const FieldRules& rules) {
  return ParamType<std::vector<std::string>>::Write(patterns.list, rules);
}

YamlNode ParamType<NamePatterns>::Schema(const FieldRules&) {
  return schema::AnyOf({schema::Text(), schema::ListOf(schema::Text())});
}

void ParameterGroup::Check(const Blame& blame) const {
  if (!learning_rate && !weight_decay) {
    blame("parameters", "a group takes a `learning_rate`, a `weight_decay`, or both");
  }
  CheckIsFloat32(blame, "learning_rate", learning_rate.value_or(0));
  CheckIsFloat32(blame, "weight_decay", weight_decay.value_or(0));
}

void OptimizerOptions::CheckAt(const Blame& blame, double learning_rate) const {
  CheckIsFloat32(blame, "learning_rate", learning_rate);
  CheckIsFloat32(blame, "weight_decay", weight_decay);
  CheckIsFloat32(blame, "clip_norm", clip_norm.value_or(0));
  CheckIsFloat32(blame, "clip_value", clip_value.value_or(0));
  if (layer_decay == 0) blame("layer_decay", "`layer_decay` takes more than 0, not 0");
  if (clip_norm && clip_value) {
    blame("clip_value", "`clip_value` and `clip_norm` exclude each other: leave one out");
  }
  if (weight_decay_in != WeightDecayIn::kStep) return;
  CheckShare(blame, "weight_decay", "weight_decay", weight_decay, learning_rate);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const double decay = groups[i].weight_decay.value_or(weight_decay);
    CheckShare(blame, "groups", "groups[" + std::to_string(i) + "].weight_decay", decay,
               groups[i].learning_rate.value_or(learning_rate));
  }
}

}  // namespace weir
