#include "stages/model/frozen_config.h"

#include <string>
#include <tuple>
#include <vector>

#include "framework/error.h"
#include "stages/model/freeze.h"

namespace weir {
namespace {

using Kind = FrozenConfig::Kind;

struct Through {
  std::string through;

  static auto Fields() {
    return std::tuple{
        Field{"through", &Through::through, "The last layer or block that freezes.", Required{}}};
  }
};

// The names of the layers are those of every width and size.
void CheckNames(const FrozenConfig& frozen, const YamlNode& node, Problems& problems) {
  try {
    LearningLayers(frozen, Backbone(*Backbones().front(), 1.0, {224, 224}, Convention::Keras()));
  } catch (const Error& error) {
    problems.Add(node.position(), error.what());
  }
}

}  // namespace

std::optional<FrozenConfig> ParamType<FrozenConfig>::Read(const YamlNode& node,
                                                          const FieldRules& rules,
                                                          Problems& problems) {
  if (node.is_scalar() && node.scalar() == "all") return FrozenConfig{};
  if (node.is_scalar() && node.scalar() == "none") return FrozenConfig{.kind = Kind::kNone};
  const std::size_t before = problems.size();
  FrozenConfig frozen;
  if (node.is_map()) {
    frozen.kind = Kind::kThrough;
    frozen.through = Parse<Through>(node, problems).through;
  } else if (node.is_list()) {
    frozen.kind = Kind::kPatterns;
    const auto patterns = ParamType<std::vector<std::string>>::Read(node, rules, problems);
    frozen.patterns = patterns.value_or(std::vector<std::string>());
  } else {
    detail::AddWrongType(node, rules, Words(rules).one, problems);
  }
  if (problems.size() == before) CheckNames(frozen, node, problems);
  return problems.size() == before ? std::optional(frozen) : std::nullopt;
}

YamlNode ParamType<FrozenConfig>::Write(const FrozenConfig& frozen, const FieldRules& rules) {
  switch (frozen.kind) {
    case Kind::kAll:
      return YamlNode::Scalar("all");
    case Kind::kNone:
      return YamlNode::Scalar("none");
    case Kind::kThrough:
      return weir::ToYaml(Through{frozen.through});
    case Kind::kPatterns:
      break;
  }
  return ParamType<std::vector<std::string>>::Write(frozen.patterns, rules);
}

YamlNode ParamType<FrozenConfig>::Schema(const FieldRules&) {
  return schema::AnyOf({schema::OneOf({"all", "none"}),
                        schema::MapOf({{"through", schema::Text(), true}}, false),
                        schema::ListOf(schema::Text())});
}

}  // namespace weir
