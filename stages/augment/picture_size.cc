#include "stages/augment/picture_size.h"

#include <array>

namespace weir {

using Sides = ParamType<std::array<int, 2>>;

TypeWords ParamType<PictureSize>::Words(const FieldRules& rules) {
  return {"a whole number or " + Sides::Words(rules).one, "sizes"};
}

std::optional<PictureSize> ParamType<PictureSize>::Read(const YamlNode& node,
                                                        const FieldRules& rules,
                                                        Problems& problems) {
  if (node.is_list()) {
    const auto sides = Sides::Read(node, rules, problems);
    return sides ? std::optional(PictureSize{(*sides)[0], (*sides)[1]}) : std::nullopt;
  }
  Problems of_number;  // its message for what is no number would not say that a list is allowed
  const std::optional<int> side = detail::ReadWhole<int>(node, {}, of_number);
  if (!side) {
    detail::AddWrongType(node, rules, Words(rules).one, problems);
    return std::nullopt;
  }
  if (!detail::IsInRange(node, rules, *side, problems)) return std::nullopt;
  return PictureSize{*side, *side};
}

YamlNode ParamType<PictureSize>::Write(const PictureSize& size, const FieldRules& rules) {
  return Sides::Write({size.height, size.width}, rules);
}

YamlNode ParamType<PictureSize>::Schema(const FieldRules& rules) {
  return schema::AnyOf({detail::WholeSchema(rules), Sides::Schema(rules)});
}

}  // namespace weir
