#include "pipelines/config_changes.h"

#include <algorithm>
#include <map>

#include "framework/yaml_reader.h"
#include "pipelines/one_line.h"

namespace weir {
namespace {

using Values = std::map<std::string, std::string>;  // by their address

constexpr const char* kNotSet = "not set";

// Stages or layers of one kind have one address: their values stand in a row.
void AddValues(const YamlNode& node, Values& values) {
  const std::vector<YamlNode> items = node.items();
  const bool holds_maps = std::ranges::any_of(items, &YamlNode::is_map);
  if (node.is_map() && !node.entries().empty()) {
    for (const YamlEntry& entry : node.entries()) AddValues(entry.value, values);
  } else if (holds_maps) {
    for (const YamlNode& item : items) AddValues(item, values);
  } else {
    std::string& value = values[node.path()];
    if (!value.empty()) value += ", ";
    value += node.is_null() ? kNotSet : node.is_scalar() ? OneLine(node.scalar()) : EmitFlow(node);
  }
}

Values ValuesIn(const std::string& yaml) {
  Problems problems;
  const YamlNode node = ParseYaml(YamlSource::File("config.yaml", yaml, ""), problems);
  Values values;
  if (problems.empty() && node.is_map()) AddValues(node, values);
  return values;
}

std::string TextOf(const Values& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? kNotSet : found->second;
}

}  // namespace

std::vector<std::string> ChangesBetween(const std::string& before, const std::string& now) {
  const Values was = ValuesIn(before), is = ValuesIn(now);
  if (was.empty() || is.empty()) return {};
  Values all = was;
  all.insert(is.begin(), is.end());
  std::vector<std::string> changes;
  for (const auto& [key, _] : all) {
    const std::string old_text = TextOf(was, key), new_text = TextOf(is, key);
    if (old_text == new_text) continue;
    changes.push_back(key + " was " + old_text + ", is " + new_text + " from here on");
  }
  return changes;
}

}  // namespace weir
