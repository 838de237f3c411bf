#include "pipelines/record/config_changes.h"

#include <algorithm>
#include <cstddef>
#include <map>

#include "framework/config/yaml_emitter.h"
#include "framework/config/yaml_reader.h"
#include "framework/text.h"
#include "stages/files/remote/remote_address.h"

namespace weir {
namespace {

using Values = std::map<std::string, std::string>;  // by their address

constexpr const char* kNotSet = "not set";
constexpr std::size_t kLongestShown = 200;  // bytes of a value
// The values of a text that is parsed: they take 6 MB (280 bytes each, measured), which the
// process' reserve in the plan has room for.
constexpr std::ptrdiff_t kMostValues = 20'000;

// At least as many values as the text has: each stands behind a comma or ends a line.
bool IsLong(const std::string& yaml) {
  return std::ranges::count_if(yaml, [](char c) { return c == ',' || c == '\n'; }) > kMostValues;
}

// The first part of a long value, which ends with a whole character.
std::string Shown(const std::string& value) {
  if (value.size() <= kLongestShown) return value;
  std::size_t end = kLongestShown;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80) --end;
  return value.substr(0, end) + "...";
}

// What may be shown of an address: one that was only signed anew is the same address.
std::string ValueOf(const YamlNode& node) {
  if (node.is_null()) return kNotSet;
  if (node.is_scalar()) return ShownRemote(node.scalar());
  const std::vector<YamlNode> items = node.items();
  const bool has_address = std::ranges::any_of(
      items, [](const YamlNode& item) { return item.is_scalar() && IsRemote(item.scalar()); });
  if (!has_address) return EmitFlow(node);
  std::vector<YamlNode> shown;
  for (const YamlNode& item : items) {
    shown.push_back(item.is_scalar() ? YamlNode::Scalar(ShownRemote(item.scalar()), true) : item);
  }
  return EmitFlow(YamlNode::List(shown));
}

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
    value += ValueOf(node);
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

std::vector<std::string> ChangesBetween(const std::string& before, const std::string& now,
                                        const std::function<bool(std::string_view key)>& is_over) {
  if (before == now || before.empty()) return {};
  if (IsLong(before) || IsLong(now)) {
    return {"the configuration is another one than before, and too long to say where"};
  }
  const Values was = ValuesIn(before), is = ValuesIn(now);
  if (was.empty() || is.empty()) return {};
  Values all = was;
  all.insert(is.begin(), is.end());
  std::vector<std::string> changes;
  for (const auto& [key, _] : all) {
    const std::string old_text = TextOf(was, key), new_text = TextOf(is, key);
    if (old_text == new_text) continue;
    changes.push_back(key + " was " + Shown(old_text) + ", is " + Shown(new_text) +
                      (is_over(key) ? ", which comes too late" : " from here on"));
  }
  return changes;
}

}  // namespace weir
