#include "stages/augment/zoom_range.h"

#include <array>
#include <utility>

namespace weir {

TypeWords ParamType<ZoomRange>::Words(const FieldRules&) {
  return {"a number below 1, or two numbers [low, high] from 0.01 to 100", "zooms"};
}

std::optional<ZoomRange> ParamType<ZoomRange>::Read(const YamlNode& node, const FieldRules& rules,
                                                    Problems& problems) {
  const std::string words = Words(rules).one;
  std::array<double, 2> ends;
  if (node.is_list()) {
    const auto items = detail::ReadList(node, rules, words, 2, problems);
    if (!items) return std::nullopt;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const std::optional<double> end = detail::ReadNumber((*items)[i], rules, problems);
      if (!end) return std::nullopt;
      ends[i] = *end;
    }
  } else {
    Problems unused;  // the number's own message would not say that a list is allowed
    const std::optional<double> number = detail::ReadNumber(node, rules, unused);
    ends = {1 - number.value_or(2), 1 + number.value_or(2)};
  }
  const bool is_right =
      ZoomRange::kLeast <= ends[0] && ends[0] <= ends[1] && ends[1] <= ZoomRange::kMost;
  if (is_right) return ZoomRange{ends[0], ends[1]};
  detail::AddWrongType(node, rules, words, problems);
  return std::nullopt;
}

YamlNode ParamType<ZoomRange>::Write(const ZoomRange& zoom, const FieldRules&) {
  return YamlNode::List({detail::WriteNumber(zoom.low), detail::WriteNumber(zoom.high)});
}

YamlNode ParamType<ZoomRange>::Schema(const FieldRules&) {
  FieldRules below_1, ends;
  below_1.Add(Range{0, 1 - ZoomRange::kLeast});
  ends.Add(Range{ZoomRange::kLeast, ZoomRange::kMost});
  return schema::AnyOf(
      {detail::NumberSchema(below_1), schema::ListOf(detail::NumberSchema(ends), 2)});
}

}  // namespace weir
