#include "framework/config/schema.h"

#include <algorithm>

namespace weir::schema {
namespace {

YamlNode Quoted(std::string_view text) { return YamlNode::Scalar(std::string(text), true); }
YamlNode Bare(std::string_view text) { return YamlNode::Scalar(std::string(text)); }

YamlNode Quoted(const std::vector<std::string>& texts) {
  std::vector<YamlNode> items;
  for (const std::string& text : texts) items.push_back(Quoted(text));
  return YamlNode::List(items);
}

}  // namespace

YamlNode Anything() { return YamlNode::Map({}); }

YamlNode OfType(std::string_view type) { return YamlNode::Map({{"type", Quoted(type)}}); }

YamlNode Text() {
  const std::vector<std::string> scalars = {"string", "number", "boolean"};
  return YamlNode::Map({{"type", Quoted(scalars)}});
}

YamlNode Matching(std::string_view pattern) {
  return OfType("string").With({"pattern", Quoted(pattern)});
}

YamlNode OneOf(const std::vector<std::string>& texts) {
  return YamlNode::Map({{"enum", Quoted(texts)}});
}

YamlNode AnyOf(const std::vector<YamlNode>& forms) {
  return YamlNode::Map({{"anyOf", YamlNode::List(forms)}});
}

YamlNode ListOf(const YamlNode& item) { return OfType("array").With({"items", item}); }

YamlNode ListOf(const YamlNode& item, std::size_t length) {
  const YamlNode count = Bare(std::to_string(length));
  return ListOf(item).With({"minItems", count}).With({"maxItems", count});
}

YamlNode MapOf(const std::vector<Property>& properties, bool may_be_null) {
  std::vector<YamlEntry> entries;
  std::vector<std::string> required;
  for (const Property& property : properties) {
    entries.push_back({property.name, property.form});
    if (property.is_required) required.push_back(property.name);
  }
  const std::vector<std::string> or_null = {"object", "null"};
  YamlNode map = YamlNode::Map({{"type", may_be_null ? Quoted(or_null) : Quoted("object")},
                                {"properties", YamlNode::Map(entries)},
                                {"additionalProperties", Bare("false")}});
  return required.empty() ? map : map.With({"required", Quoted(required)});
}

YamlNode NamedOf(const std::vector<Property>& components) {
  std::vector<YamlNode> forms;
  std::vector<std::string> names;
  for (const Property& component : components) {
    names.push_back(component.name);
    forms.push_back(MapOf({{component.name, component.form, true}}, false));
  }
  forms.insert(forms.begin(), OneOf(names));
  return AnyOf(forms);
}

}  // namespace weir::schema
