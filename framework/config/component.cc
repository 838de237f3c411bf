#include "framework/config/component.h"

#include <cmath>
#include <limits>

#include "framework/config/suggestion.h"
#include "framework/config/yaml_emitter.h"
#include "framework/text.h"

namespace weir {

std::optional<NamedParams> ReadNamedParams(const YamlNode& node, std::string_view what,
                                           const std::vector<Choice>& known, Problems& problems) {
  std::string name = node.scalar();
  Position position = node.position();
  YamlNode params = YamlNode::Null(position).Named(node.path() + "." + name, name);
  if (node.is_map() && node.entries().size() == 1) {
    const YamlEntry entry = node.entries().front();
    name = entry.key;
    position = entry.key_position;
    params = entry.value;
  } else if (!node.is_scalar()) {
    const std::string written = node.is_map()
                                    ? "a map of " + std::to_string(node.entries().size()) + " keys"
                                    : node.Shown();
    problems.Add(position, "`" + node.name() + "` takes the name of one " + std::string(what) +
                               ", or {name: {parameters}}, not " + written);
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const Choice& choice : known) {
    if (choice.text == name) return NamedParams{choice.value, params};
    names.push_back(choice.text);
  }
  std::string ending = DidYouMean(name, names);
  if (ending.empty()) ending = "; there is " + Enumerate(names);
  problems.Add(position, "there is no " + std::string(what) + " " + InBackticks(name) + ending);
  return std::nullopt;
}

YamlNode WriteNamedParams(std::string_view name, const YamlNode& params) {
  if (params.entries().empty()) return YamlNode::Scalar(std::string(name));
  return YamlNode::Map({{std::string(name), params}});
}

void CheckLessThanOne(const Blame& blame, std::string_view field, double value) {
  if (value >= 1) blame(field, "`" + std::string(field) + "` takes less than 1, not 1");
}

std::string WhyNotFloat32(std::string_view name, double value) {
  using Limits = std::numeric_limits<float>;
  const double size = std::abs(value);
  if (value == 0 || (size >= Limits::min() && size <= Limits::max())) return "";
  return InBackticks(name) +
         " takes a number that float32 can hold, from 1.2e-38 to 3.4e+38, not " +
         EmitFlow(detail::WriteNumber(value));
}

void CheckIsFloat32(const Blame& blame, std::string_view field, double value) {
  const std::string why = WhyNotFloat32(field, value);
  if (!why.empty()) blame(field, why);
}

}  // namespace weir
